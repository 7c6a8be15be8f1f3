import { join } from "node:path";
import { writeFileAtomic } from "../engine/atomic-file.ts";
import type { FrontierRecord } from "../study/frontier.ts";
import { frontierChart } from "./charts/frontier.ts";
import { svgFile } from "./svg.ts";

const WIDTH = 860;

/** The chart of a study's frontier as one SVG, with the label that speaks for it where it is not seen. */
export function frontierSvg(record: FrontierRecord): { readonly svg: string; readonly label: string } {
  const { model, frontiers } = record;
  const marks = frontiers.map(
    ({ attack, seed, auto, best }) =>
      `${attack}, seed ${seed}: Fisher information chose ${auto ?? "none"} (ring), best is ${best ?? "none"} (dashed ring)`,
  );
  const label = `Attack accuracy against natural accuracy of ${model} with TL-DMI at every boundary, and of other defenses. ${marks.join("; ")}`;
  return { svg: svgFile(frontierChart(record, WIDTH), label), label };
}

/** Draws a study's frontier as `report/frontier.svg` in the study's folder. Returns the path. */
export async function writeFrontierChart(studyDir: string, record: FrontierRecord): Promise<string> {
  const path = join(studyDir, "report", "frontier.svg");
  await writeFileAtomic(path, frontierSvg(record).svg);
  return path;
}
