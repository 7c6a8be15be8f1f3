import { describe, expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { random } from "../engine/random.ts";
import { children, extended } from "./differential-evolution.ts";

const width = 4;
const count = 6;
const rows = random(1, "rows").normals(count * width);
const parents = { rows, width };
const plain = { pull: 0, difference: 0, pairs: 3, crossover: 1 };
const bred = (change: Partial<typeof plain>, best = 2) => children(parents, best, { ...plain, ...change }, random(2));

describe("children", () => {
  test("are their parents without pull and differences", () => {
    expect([...bred({})]).toEqual([...rows]);
  });

  test("start from their parents towards the best", () => {
    const wanted = rows.map((x, i) => x + 0.25 * (rows[2 * width + (i % width)]! - x));
    expectAllClose(bred({ pull: 0.25 }), wanted);
  });

  test("differ from their parents by sums of differences of rows, the same in all numbers", () => {
    // With rows that are powers of two a sum of three differences says which rows they were.
    const powers = Float32Array.from({ length: count * width }, (_, i) => 8 ** Math.floor(i / width));
    const out = children({ rows: powers, width }, 0, { ...plain, difference: 1 }, random(3));
    const moved = out.map((x, i) => x - powers[i]!);
    for (let i = 0; i < count; i++) expect(new Set(moved.subarray(i * width, (i + 1) * width)).size).toBe(1);
    expect(new Set(moved).size, "each child has pairs of its own").toBeGreaterThan(3);
    for (const x of moved) {
      // Digits of a balanced number to the base of 8: how often each row was added, less how often taken away.
      let [left, added, taken] = [x, 0, 0];
      for (let i = count - 1; i >= 0; i--) {
        const digit = Math.round(left / 8 ** i);
        left -= digit * 8 ** i;
        if (digit > 0) added += digit;
        else taken -= digit;
      }
      expect([left, added - taken]).toEqual([0, 0]);
      expect(added).toBeLessThanOrEqual(plain.pairs);
    }
  });

  test("keep a number of the parent's with the rest of the crossover's probability", () => {
    const many = { rows: random(4).normals(4000), width: 40 };
    const out = children(many, 0, { ...plain, pull: 1, crossover: 0.3 }, random(5));
    const own = out.filter((x, i) => i >= 40 && x !== many.rows[i]).length / (out.length - 40);
    expect(own).toBeGreaterThan(0.27);
    expect(own).toBeLessThan(0.33);
    expect(out.every((x, i) => x === many.rows[i] || Math.abs(x - many.rows[i % 40]!) < 1e-6)).toBe(true);
  });
});

test("a population is extended by mixes of three different rows and one of the others each", () => {
  const powers = Float32Array.from([1, 4, 16, 64, 256].flatMap((x) => [x, -x]));
  const others = Float32Array.of(0, 0, 1000, 2000);
  const out = extended({ rows: powers, width: 2 }, others, 0.7, random(6));
  expect([...out.subarray(0, 10)]).toEqual([...powers]);
  for (const [i, rest] of [0, 300].entries()) {
    const [a, b] = out.subarray(10 + 2 * i, 12 + 2 * i);
    // 0.7·(¼ x + ¼ y + ½ z) of different powers of four.
    const mixed = (a! - rest) / (0.7 * 0.25);
    const of = [1, 4, 16, 64, 256];
    const sums = of.flatMap((x) =>
      of.flatMap((y) => of.flatMap((z) => (x < y && z !== x && z !== y ? [x + y + 2 * z] : []))),
    );
    expect(Math.min(...sums.map((s) => Math.abs(s - mixed)))).toBeLessThan(1e-3);
    expect(b!).toBeCloseTo(2 * rest - (a! - rest), 2);
  }
});
