import { count, fixed } from "../src/report/numbers.ts";
import { NONE, table } from "./markdown.ts";
import type { Row } from "./result.ts";
import { gibibytes, milliseconds, timeWithSpread } from "./text.ts";

/** One table for each curve: how time and memory grow along one size. */
export function growthTables(rows: readonly Row[]): string {
  const curves = new Map<string, Row[]>();
  for (const row of rows)
    if (row.growth !== undefined) {
      const key = `### ${sentence(row.growth.curve)}, against ${row.growth.along}`;
      curves.set(key, [...(curves.get(key) ?? []), row]);
    }
  return [...curves]
    .map(([title, points]) => {
      const sorted = points.sort((a, b) => a.growth!.at - b.growth!.at);
      const first = sorted[0]!;
      const cells = sorted.map(({ growth, ours, images }) => [
        count(growth!.at),
        timeWithSpread(ours.ms),
        images === undefined ? NONE : milliseconds(ours.ms.median / images),
        `${fixed(ours.ms.median / first.ours.ms.median, 2)}×`,
        gibibytes(ours.peakBytes),
        `${fixed(ours.peakBytes / first.ours.peakBytes, 2)}×`,
      ]);
      const titles = [first.growth!.along, "time", "time an image", "growth", "memory", "growth"];
      return `${title}\n\n${table(titles, cells)}`;
    })
    .join("\n\n");
}

const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
