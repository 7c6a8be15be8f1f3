import fc from "fast-check";
import { describe, expect, test } from "vitest";
import "../../test/support/seeded-properties.ts";
import { expectAllClose } from "../../test/support/all-close.ts";
import { projectOntoL1Balls } from "./l1-ball.ts";

const norm = (row: Iterable<number>) => [...row].reduce((sum, v) => sum + Math.abs(v), 0);

function projected(row: readonly number[], radius: number, centre: readonly number[] = row.map(() => 0)): number[] {
  const rows = Float32Array.from(row);
  projectOntoL1Balls(rows, Float32Array.from(centre), row.length, radius);
  return [...rows];
}

/** The same by another way: θ by halving an interval. */
function byBisection(row: readonly number[], radius: number): number[] {
  if (norm(row) <= radius) return [...row];
  let [low, high] = [0, Math.max(...row.map(Math.abs))];
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (row.reduce((sum, v) => sum + Math.max(0, Math.abs(v) - middle), 0) > radius) low = middle;
    else high = middle;
  }
  return row.map((v) => Math.sign(v) * Math.max(0, Math.abs(v) - high));
}

const number = fc.float({ min: -10, max: 10, noNaN: true });
const row = fc.array(number, { minLength: 1, maxLength: 12 });
const radius = fc.double({ min: 0.01, max: 30, noNaN: true });

describe("the projection onto an L1 ball", () => {
  test("is what bisection finds, with ties, zeros and few numbers among the rows", () => {
    // Whole numbers bring ties and zeros.
    const tied = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.oneof(row, tied), radius, (v, r) => {
        expectAllClose(projected(v, r), byBisection(v, r), { relative: 1e-5, absolute: 1e-5 });
      }),
      { numRuns: 500 },
    );
  });

  test("is nearer than any other point of the ball", () => {
    const pair = fc.integer({ min: 1, max: 6 }).chain((n) => {
      const numbers = fc.array(number, { minLength: n, maxLength: n });
      return fc.tuple(numbers, numbers);
    });
    const distance = (a: readonly number[], b: readonly number[]) => Math.hypot(...a.map((v, i) => v - b[i]!));
    fc.assert(
      fc.property(pair, radius, ([v, other], r) => {
        const size = norm(other);
        const inside = size > r ? other.map((x) => (x * r) / size) : other;
        expect(distance(v, projected(v, r))).toBeLessThanOrEqual(distance(v, inside) + 1e-4);
      }),
      { numRuns: 300 },
    );
  });

  test("leaves points of the ball where they are, to the bit: inside, on its edge, and zero", () => {
    const within = [0.1, -0.7, 0, 1e-8].map(Math.fround);
    expect(projected(within, 5)).toEqual(within);
    expect(projected([0, 0, 0], 1)).toEqual([0, 0, 0]);
    expect(projected([1, -2, 0.5], 3.5)).toEqual([1, -2, 0.5]);
  });

  test("ends on the edge, with the signs that the numbers had", () => {
    fc.assert(
      fc.property(row, radius, (v, r) => {
        const p = projected(v, r);
        expect(norm(p)).toBeLessThanOrEqual(Math.max(r, 0) * (1 + 1e-5) + 1e-5);
        if (norm(v) > r) expect(norm(p)).toBeCloseTo(r, 3);
        for (const [i, x] of p.entries()) expect(x * v[i]!).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test("of equal numbers takes the same from each, and of one that outweighs the others all from it", () => {
    expectAllClose(projected([2, -2, 2, -2], 4), [1, -1, 1, -1], {});
    expectAllClose(projected([100, 1, -1], 2), [2, 0, 0], {});
  });

  test("is around a centre of its own for each row, and leaves what is no number for others to find", () => {
    const rows = Float32Array.of(5, 1, 3, 3, Number.NaN, 1);
    const centres = Float32Array.of(1, 1, 3, 2.5, 0, 0);
    projectOntoL1Balls(rows, centres, 2, 1);
    expectAllClose(rows.subarray(0, 4), [2, 1, 3, 3], {});
    expect([...rows.subarray(4)]).toEqual([Number.NaN, 1]);
  });
});
