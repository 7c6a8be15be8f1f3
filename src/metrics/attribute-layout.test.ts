import { expect, test } from "vitest";
import type { AttributeSpec } from "../data/dataset.ts";
import { attributeLayout, attributeTargets, attributeWidth } from "./attribute-layout.ts";

const specs: readonly AttributeSpec[] = [
  { name: "skin tone", kind: "number", size: 3 },
  { name: "hair", kind: "category", size: 4 },
  { name: "mouth height", kind: "number", size: 1 },
];

test("numbers take their components in both layouts, a category one value and a column each", () => {
  expect(attributeWidth(specs)).toBe(8);
  expect(attributeLayout(specs).map(({ valueAt, columnAt }) => [valueAt, columnAt])).toEqual([
    [0, 0],
    [3, 3],
    [4, 7],
  ]);
});

test("a target row holds numbers as they are and categories one-hot", () => {
  expect([...attributeTargets(specs, Float32Array.of(0.25, 0.5, 0.75, 2, 1))]).toEqual([
    0.25, 0.5, 0.75, 0, 0, 1, 0, 1,
  ]);
});

test("values that do not fit are refused", () => {
  expect(() => attributeTargets(specs, Float32Array.of(0, 0, 0, 1))).toThrow("expected 5 attribute values, got 4");
  expect(() => attributeTargets(specs, Float32Array.of(0, 0, 0, 4, 0))).toThrow(
    "hair: expected a category in 0 … 3, got 4",
  );
  expect(() => attributeTargets(specs, Float32Array.of(0, 0, 0, -1, 0))).toThrow("got -1");
  expect(() => attributeTargets(specs, Float32Array.of(0, 0, 0, 0.5, 0))).toThrow("got 0.5");
});
