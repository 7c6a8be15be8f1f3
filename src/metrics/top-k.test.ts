import fc from "fast-check";
import { expect, test } from "vitest";
import { hits } from "./top-k.ts";

const rows = (...values: number[][]) => Float32Array.from(values.flat());

test("a label hits within the k highest logits", () => {
  const logits = rows([0, 3, 1, 2], [0, 3, 1, 2], [0, 3, 1, 2], [0, 3, 1, 2]);
  const labels = Int32Array.of(0, 1, 2, 3);
  expect([...hits(logits, labels, 4, 1)]).toEqual([0, 1, 0, 0]);
  expect([...hits(logits, labels, 4, 2)]).toEqual([0, 1, 0, 1]);
  expect([...hits(logits, labels, 4, 3)]).toEqual([0, 1, 1, 1]);
  expect([...hits(logits, labels, 4, 4)]).toEqual([1, 1, 1, 1]);
});

test("a tie counts against the label, wherever it stands in the row", () => {
  expect([...hits(rows([1, 1, 0], [1, 1, 0]), Int32Array.of(0, 1), 3, 1)]).toEqual([0, 0]);
  expect([...hits(rows([1, 1, 0], [1, 1, 0]), Int32Array.of(0, 1), 3, 2)]).toEqual([1, 1]);
  expect([...hits(rows([Infinity, Infinity]), Int32Array.of(0), 2, 1)]).toEqual([0]);
});

test("a row with a NaN never hits, even where every class would", () => {
  const logits = rows([Number.NaN, 0], [5, Number.NaN], [5, 0]);
  expect([...hits(logits, Int32Array.of(0, 0, 0), 2, 2)]).toEqual([0, 0, 1]);
});

test("with distinct logits exactly k labels of a row hit", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: -99, max: 99 }), { minLength: 1, maxLength: 9 }),
      fc.nat(),
      (row, seed) => {
        const k = 1 + (seed % row.length);
        const logits = Float32Array.from(row.flatMap(() => row));
        const found = hits(logits, Int32Array.from(row.keys()), row.length, k);
        expect(found.reduce((sum, hit) => sum + hit, 0)).toBe(k);
      },
    ),
  );
});

test("arrays that do not fit are refused with their sizes", () => {
  expect(() => hits(new Float32Array(5), Int32Array.of(0, 1), 3, 1)).toThrow("expected 2 × 3 logits");
  expect(() => hits(new Float32Array(3), Int32Array.of(3), 3, 1)).toThrow("label 3 of image 0 is not in 0 … 2");
  expect(() => hits(new Float32Array(3), Int32Array.of(-1), 3, 1)).toThrow("label -1 of image 0");
  expect(() => hits(new Float32Array(3), Int32Array.of(0), 3, 4)).toThrow("expected k in 1 … 3, got 4");
});
