import { expect, test } from "vitest";
import { recommendBoundary } from "../fisher/boundary.ts";
import type { FisherRecord } from "../study/fisher.ts";
import { fisherFindings } from "./fisher-findings.ts";

/** A record of convolutions with these numbers, and of a head and norms that must have no say. */
function record(classification: readonly number[], inversion: readonly number[]): FisherRecord {
  const kernels = classification.map((value, i) => ({
    ...{ layer: `conv${i}`, stage: `s${i}`, kernel: true, parameters: 9 },
    ...{ classification: value, inversion: inversion[i]! },
  }));
  const norm = { layer: "norm", stage: "s0", kernel: false, parameters: 2, classification: 99, inversion: 99 };
  const head = { layer: "fc", stage: null, kernel: true, parameters: 9, classification: 99, inversion: 99 };
  const layers = [...kernels, norm, head];
  const of = (task: "classification" | "inversion") => layers.map((l) => ({ ...l, fisher: l[task] }));
  return {
    ...{ schemaVersion: 1, target: "none", attack: "gmi", layers, images: { classification: 1, inversion: 1 } },
    settings: { form: "per-example", labels: "empirical", identities: 1, points: 1 },
    ...recommendBoundary(of("classification"), of("inversion")),
  };
}
const RISING = [1, 2, 3, 4, 5, 6, 7, 8];
const FALLING = RISING.toReversed();
const MIXED = [4, 1, 7, 2, 8, 3, 6, 5];

test.each([
  [RISING, FALLING, /late ones for the task, is here\.$/],
  [MIXED, FALLING, /is here in part: .* not shown is that classification's rises with it\.$/],
  [RISING, MIXED, /is here in part: .* not shown is that inversion's falls with depth\.$/],
  [FALLING, RISING, /is not here\.$/],
  [MIXED, MIXED, /is not here\.$/],
])("classification %o against inversion %o", (classification, inversion, pattern) => {
  expect(fisherFindings(record(classification, inversion))[3]).toMatch(pattern);
});

test("says shares, correlations and the boundary from the numbers", () => {
  const [shares, inversion, classification, , cut] = fisherFindings(record(RISING, FALLING));
  expect(shares).toMatch(/first 4 of 8 convolutions hold 72\s% of inversion's information and 28\s% of/);
  expect(inversion).toMatch(
    /inversion falls with depth: its rank correlation with depth is −1\.00, .* one in a thousand/,
  );
  expect(classification).toMatch(/classification rises with depth: .* is 1\.00/);
  expect(cut).toMatch(/boundary is s4: .* hold 83\s% .* and 42\s% of classification's\.$/);
});

test("says nothing of order where there are too few layers, and no boundary where none is recommended", () => {
  expect(fisherFindings(record([1, 2], [2, 1]))).toEqual([expect.stringContaining("too few")]);
  expect(fisherFindings(record(FALLING, Array<number>(8).fill(0))).at(-1)).toMatch(/^No boundary is recommended/);
});
