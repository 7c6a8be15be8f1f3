import { join } from "node:path";
import { writeFileAtomic } from "../engine/atomic-file.ts";
import type { FisherRecord } from "../study/fisher.ts";
import { fisherChart } from "./charts/fisher.ts";
import { svgFile } from "./svg.ts";

const WIDTH = 860;

/** The chart of a Fisher analysis as one SVG, with the label that speaks for it where it is not seen. */
export function fisherSvg(record: FisherRecord): { readonly svg: string; readonly label: string } {
  const { target, boundary } = record;
  const cut = boundary === null ? "no boundary is recommended" : `the recommended boundary is ${boundary}`;
  const label = `Fisher information of each layer of ${target}, for classification and for inversion; ${cut}`;
  return { svg: svgFile(fisherChart(record, WIDTH), label), label };
}

/** Draws a Fisher analysis as `report/fisher.svg` in the run's folder. Returns the path. */
export async function writeFisherChart(runDir: string, record: FisherRecord): Promise<string> {
  const path = join(runDir, "report", "fisher.svg");
  await writeFileAtomic(path, fisherSvg(record).svg);
  return path;
}
