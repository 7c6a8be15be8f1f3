import { join } from "node:path";
import { writeFileAtomic } from "../engine/atomic-file.ts";
import type { FisherRecord } from "../study/fisher.ts";
import { fisherChart } from "./charts/fisher.ts";
import { renderSvg } from "./svg.ts";

const WIDTH = 860;

/** Draws a Fisher analysis as `report/fisher.svg` in the run's folder. Returns the path. */
export async function writeFisherChart(runDir: string, record: FisherRecord): Promise<string> {
  const { target, boundary } = record;
  const cut = boundary === null ? "no boundary is recommended" : `the recommended boundary is ${boundary}`;
  const path = join(runDir, "report", "fisher.svg");
  const label = `Fisher information of each layer of ${target}, for classification and for inversion; ${cut}`;
  await writeFileAtomic(path, renderSvg(fisherChart(record, WIDTH), label));
  return path;
}
