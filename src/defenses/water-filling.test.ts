import { describe, expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { random } from "../engine/random.ts";
import { nearestWithin } from "./water-filling.ts";

const rng = random(1, "water");

/** A distribution, peaked more or less. */
function distribution(classes: number, power: number): number[] {
  const odds = Array.from({ length: classes }, () => rng.uniform() ** power);
  const total = odds.reduce((a, b) => a + b, 0);
  return odds.map((x) => x / total);
}

const distance = (p: ArrayLike<number>, f: readonly number[]) => f.reduce((sum, x, i) => sum + Math.abs(p[i]! - x), 0);
const divergence = (p: ArrayLike<number>, q: readonly number[]) =>
  q.reduce((sum, x, i) => (p[i]! > 0 ? sum + p[i]! * Math.log(p[i]! / x) : sum), 0);

/** The root of an increasing function. */
function bisect(of: (w: number) => number, [low, high]: [number, number]): number {
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (of(middle) < 0) low = middle;
    else high = middle;
  }
  return low;
}

describe("the nearest distribution within a budget", () => {
  test.each([
    [3, 2],
    [10, 4],
    [10, 1],
    [200, 3],
  ])("of %d classes at power %d has the levels that bisection finds", (classes, power) => {
    for (let trial = 0; trial < 20; trial++) {
      const [f, q] = [distribution(classes, power), distribution(classes, power)];
      const budget = rng.uniform() * distance(q, f);
      const put = (w: number) => q.reduce((sum, x, i) => sum + Math.max(0, w * x - f[i]!), 0) - budget / 2;
      const taken = (w: number) => budget / 2 - q.reduce((sum, x, i) => sum + Math.max(0, f[i]! - w * x), 0);
      const [a, b] = [bisect(put, [0, 1]), bisect(taken, [1, 1e9])];
      const found = nearestWithin(f, q, budget);
      expectAllClose(
        found,
        q.map((x, i) => Math.min(Math.max(f[i]!, a * x), b * x)),
        { relative: 1e-6, absolute: 1e-9 },
      );
      expect(found.reduce((x, y) => x + y, 0)).toBeCloseTo(1, 9);
      expect(distance(found, f)).toBeCloseTo(budget, 9);
    }
  });

  test("is no farther from q than any other that is as near to f", () => {
    const [f, q] = [distribution(6, 3), distribution(6, 3)];
    const budget = 0.6 * distance(q, f);
    const best = divergence(nearestWithin(f, q, budget), q);
    let tried = 0;
    for (let trial = 0; trial < 3000; trial++) {
      const to = distribution(6, 1 + 3 * rng.uniform());
      const share = Math.min(1, budget / distance(to, f));
      const p = f.map((x, i) => x + share * (to[i]! - x));
      tried += 1;
      expect(divergence(p, q)).toBeGreaterThan(best - 1e-12);
    }
    expect(tried).toBe(3000);
  });

  test("is q where q is near enough, and f without a budget", () => {
    const [f, q] = [distribution(5, 2), distribution(5, 2)];
    expectAllClose(nearestWithin(f, q, 2), q);
    expectAllClose(nearestWithin(f, q, 0), f, { absolute: 1e-12 });
  });

  test("stands classes that never got any probability", () => {
    const found = nearestWithin([0.5, 0.5, 0], [1, 0, 0], 0.4);
    expect([...found].every(Number.isFinite)).toBe(true);
    expectAllClose(found, [0.7, 0.3, 0], { absolute: 1e-9 });
  });
});
