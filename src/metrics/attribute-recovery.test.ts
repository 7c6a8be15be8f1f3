import fc from "fast-check";
import { expect, test } from "vitest";
import type { AttributeSpec } from "../data/dataset.ts";
import { random } from "../engine/random.ts";
import { attributeTargets, attributeWidth } from "./attribute-layout.ts";
import { type AttributeEvidence, attributeRecovery } from "./attribute-recovery.ts";

const specs: readonly AttributeSpec[] = [
  { name: "skin tone", kind: "number", size: 2 },
  { name: "hair", kind: "category", size: 3 },
];

const readings = (...rows: [number, number[]][]) => ({
  labels: Int32Array.from(rows, ([label]) => label),
  outputs: Float32Array.from(rows.flatMap(([, outputs]) => outputs)),
});

const byHand: AttributeEvidence = {
  specs,
  truth: [Float32Array.of(0.5, 0.5, 0), Float32Array.of(1, 0, 2), Float32Array.of(0, 0, 1)],
  // Mean (0.5, 0.25), mode 2.
  population: [Float32Array.of(0.5, 0.25, 2), Float32Array.of(0.25, 0.5, 2), Float32Array.of(0.75, 0, 0)],
  reconstructions: readings(
    [0, [0.5, 0.25, 3, 1, 2]],
    [0, [0.25, 0, 0, 1, 2]],
    [1, [0.5, 0.5, 0, 0, 1]],
    [1, [1, 0, 0, -1, 4]],
  ),
  // Class 2 was not attacked: its misread image must not count.
  real: readings([0, [0.5, 0.5, 9, 0, 0]], [1, [1, 0.5, 0, 0, 9]], [2, [1, 1, 9, 0, 0]]),
  seed: 1,
};

test("numbers are scored by the mean absolute error over components", () => {
  const skin = attributeRecovery(byHand)[0]!;
  expect(skin).toMatchObject({ name: "skin tone", kind: "number", unit: "mean absolute error" });
  // Images: 0.125, 0.375 of class 0; 0.5, 0 of class 1. Both classes' means are 0.25, so the interval is a point.
  expect(skin.reconstruction).toEqual({ value: 0.25, n: 4, low: 0.25, high: 0.25 });
  // (0.5, 0.25) against (0.5, 0.5) and (1, 0).
  expect(skin.guess).toEqual({ value: 0.25, n: 2, low: 0.125, high: 0.375 });
  expect(skin.real).toEqual({ value: 0.125, n: 2, low: 0, high: 0.25 });
});

test("categories are scored by the accuracy of the largest logit, against always saying the mode", () => {
  const hair = attributeRecovery(byHand)[1]!;
  expect(hair).toMatchObject({ name: "hair", kind: "category", unit: "accuracy" });
  expect(hair.reconstruction).toEqual({ value: 0.75, n: 4, low: 0.5, high: 1 });
  expect(hair.guess).toEqual({ value: 0.5, n: 2, low: 0, high: 1 });
  expect(hair.real).toEqual({ value: 1, n: 2, low: 1, high: 1 });
});

test("of equally frequent categories the first is guessed", () => {
  const population = [Float32Array.of(0, 0, 2), Float32Array.of(0, 0, 0)];
  // Class 0 has category 0, class 1 category 2.
  expect(attributeRecovery({ ...byHand, population })[1]!.guess.value).toBe(0.5);
  const onlyFirst = readings([0, [0, 0, 0, 0, 0]]);
  expect(attributeRecovery({ ...byHand, population, reconstructions: onlyFirst })[1]!.guess.value).toBe(1);
});

test("rows that equal the targets are read without error", () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const rng = random(seed, "people");
      const truth = Array.from({ length: 5 }, () => Float32Array.of(rng.uniform(), rng.uniform(), rng.int(3)));
      const perfect = readings(
        ...truth.map((values, i): [number, number[]] => [i, [...attributeTargets(specs, values)]]),
      );
      const [skin, hair] = attributeRecovery({ ...byHand, truth, reconstructions: perfect, real: perfect });
      expect([skin!.reconstruction.value, skin!.real.value]).toEqual([0, 0]);
      expect([hair!.reconstruction.value, hair!.real.value]).toEqual([1, 1]);
    }),
    { numRuns: 20 },
  );
});

test("does not depend on the order of images or of the population", () => {
  const { reconstructions, real, population } = byHand;
  const width = attributeWidth(specs);
  const reversed = ({ labels, outputs }: typeof real) => ({
    labels: labels.toReversed(),
    outputs: Float32Array.from(outputs, (_, i) => {
      const row = labels.length - 1 - Math.floor(i / width);
      return outputs[row * width + (i % width)]!;
    }),
  });
  const turned = {
    reconstructions: reversed(reconstructions),
    real: reversed(real),
    population: population.toReversed(),
  };
  expect(attributeRecovery({ ...byHand, ...turned })).toEqual(attributeRecovery(byHand));
});

test("a category read from NaN is wrong, a number read from NaN is refused", () => {
  const nan = Number.NaN;
  const hairLost = readings([0, [0.5, 0.5, nan, nan, nan]]);
  expect(attributeRecovery({ ...byHand, reconstructions: hairLost })[1]!.reconstruction.value).toBe(0);
  const skinLost = readings([0, [nan, 0.5, 1, 0, 0]]);
  expect(() => attributeRecovery({ ...byHand, reconstructions: skinLost })).toThrow("has the value NaN");
});

test("evidence that does not fit or lacks a part is refused", () => {
  const without = (part: Partial<AttributeEvidence>) => () => attributeRecovery({ ...byHand, ...part });
  expect(without({ population: [] })).toThrow("the population is empty");
  expect(without({ reconstructions: readings() })).toThrow("no value in 0 identities");
  expect(without({ real: readings([2, [0, 0, 0, 0, 0]]) })).toThrow("no value in 2 identities");
  expect(without({ reconstructions: readings([0, [0, 0, 0]]) })).toThrow(
    "reconstructions: expected 1 × 5 outputs, got 3",
  );
  expect(without({ real: readings([3, [0, 0, 0, 0, 0]]) })).toThrow("real images: label 3 is not in 0 … 2");
  expect(without({ truth: [Float32Array.of(0, 0, 7)] })).toThrow("hair: expected a category in 0 … 2, got 7");
});
