import { expect, test } from "vitest";
import { cell, metricsOf, rate } from "../../../test/support/study-result.ts";
import type { CellResult } from "../../study/result.ts";
import { comparisonsOf, conditionsOf } from "../conditions.ts";
import { toMarkup } from "../escape.ts";
import { hasMeasures, leakChange, measuresSection } from "./measures.ts";

const page = (cells: readonly CellResult[]) => toMarkup(measuresSection(comparisonsOf(conditionsOf(cells))));

/** The text of a metric's row, cell by cell; the unit stands behind the name. */
function row(markup: string, name: string): string[] {
  const rows = [...markup.matchAll(/<tr.*?<\/tr>/gs)].map(([text]) =>
    [...text.matchAll(/<t[hd] [^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell]) =>
      cell!
        .replaceAll(/<[^>]+>/g, " ")
        .replaceAll(/[\s\u00a0]+/g, " ")
        .trim(),
    ),
  );
  return rows.find(([first]) => first === name) ?? [];
}

test("a metric's row has its direction, every condition, what real images reach, and n", () => {
  const cells = [
    cell({ metrics: metricsOf(0.7), realImages: metricsOf(1) }),
    cell({ defense: "tl-dmi", metrics: metricsOf(0.4), realImages: metricsOf(1) }),
  ];
  const markup = page(cells);
  expect(row(markup, "precision")).toEqual([
    "precision",
    "high",
    "66.0 % [62.0, 70.0]",
    "▼ leaks less than without a defense 42.0 % [38.0, 46.0]",
    "90.0 % [86.0, 94.0]",
    "250",
  ]);
  // A distance that is larger leaks less.
  expect(row(markup, "FID, evaluation features squared L2").slice(1, 4)).toEqual([
    "low",
    "204 [180, 228]",
    "▼ leaks less than without a defense 348 [324, 372]",
  ]);
  for (const name of ["natural accuracy", "attack accuracy"]) expect(row(markup, name)).toEqual([]);
});

test("marks are set only where intervals are apart, by what the metric's direction means", () => {
  const [low, middle, high] = [rate(0.2), rate(0.28), rate(0.6)];
  expect(leakChange({ direction: "higher" }, low, high)).toBe("less");
  expect(leakChange({ direction: "higher" }, high, low)).toBe("more");
  expect(leakChange({ direction: "lower" }, low, high)).toBe("more");
  expect(leakChange({ direction: "lower" }, high, low)).toBe("less");
  expect(leakChange({ direction: "higher" }, low, middle)).toBeUndefined();
  expect(leakChange({ direction: "higher" }, low, undefined)).toBeUndefined();
});

test("a metric that some seed lacks is a dash, one that nobody has is no row, and old results have no section", () => {
  const { recall: _, ...without } = metricsOf(0.4);
  const { ssim: __, ...fewer } = without;
  const markup = page([
    cell({ metrics: without }),
    cell({ defense: "tl-dmi", metrics: without }),
    cell({ defense: "tl-dmi", seed: 2, metrics: fewer }),
  ]);
  expect(row(markup, "recall")).toEqual([]);
  expect(row(markup, "SSIM")[3]).toBe("–");
  expect(hasMeasures(conditionsOf([cell()]))).toBe(false);
});

test("over seeds the mean stays within what a metric can be", () => {
  const spread = (value: number) => ({ precision: rate(value, 0.01) });
  const markup = page([1, 2].map((seed) => cell({ seed, metrics: spread(seed === 1 ? 0.7 : 0.9) })));
  expect(row(markup, "precision")[2]).toBe("80.0 % [0.0, 100.0]");
});
