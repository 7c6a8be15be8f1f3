import { describe, expect, test } from "vitest";
import { type FrontierCell, type FrontierCells, frontierOf } from "./frontier-record.ts";

const exact = (value: number) => ({ value, n: 100, low: value, high: value });
const cell = (boundary: string | null, natural: number, attack: number): FrontierCell => ({
  label: boundary ?? "none",
  boundary,
  trainableParameters: 1,
  naturalAccuracy: exact(natural),
  attackAccuracy: exact(attack),
});

/** Ten classes: nothing is known at (0.1, 0.1); undefended at (0.9, 0.7). */
const cells = (change: Partial<FrontierCells>): FrontierCells => ({
  attack: "gmi",
  seed: 1,
  classes: 10,
  randomPrior: exact(0.1),
  undefended: cell(null, 0.9, 0.7),
  sweep: [],
  others: [],
  auto: null,
  ...change,
});

/** Twice the signed area of a triangle over the range it spans between the first and the last point: how far a knee hangs below the chord. */
function below([x0, y0]: number[], [x, y]: number[], [x1, y1]: number[]): number {
  return ((x1! - x0!) * (y! - y0!) - (x! - x0!) * (y1! - y0!)) / 2 / (x1! - x0!);
}

describe("a frontier", () => {
  test("says of each setting by how much its curve lies below the undefended model's: a triangle over the whole range", () => {
    const { sweep, others } = frontierOf(
      cells({ sweep: [cell("a", 0.8, 0.4), cell("b", 0.5, 0.2)], others: [cell(null, 0.6, 0.6)] }),
    );
    const triangle = (x: number, y: number) => below([0.1, 0.1], [x, y], [0.9, 0.7]);
    expect(sweep.map((p) => p.leaksMore!.difference.value)).toEqual([
      expect.closeTo(triangle(0.8, 0.4), 12),
      expect.closeTo(triangle(0.5, 0.2), 12),
    ]);
    expect(sweep[0]!.leaksMore).toMatchObject({ from: 0.1, to: 0.9 });
    // What lies above the line from knowing nothing to no defense is worse than none.
    expect(others[0]!.leaksMore!.difference.value).toBeCloseTo(triangle(0.6, 0.6), 12);
    expect(others[0]!.leaksMore!.difference.value).toBeGreaterThan(0);
  });

  test("takes the lowest curve as the best, and says how far the chosen boundary is from it", () => {
    const sweep = [cell("a", 0.88, 0.6), cell("b", 0.8, 0.3), cell("c", 0.3, 0.15)];
    const found = frontierOf(cells({ sweep, auto: "a" }));
    expect(found.best).toBe("b");
    const [a, b] = found.sweep.map((p) => p.leaksMore!.difference.value);
    expect(found.autoLeaksMore!.difference.value).toBeCloseTo(a! - b!, 12);
    expect(frontierOf(cells({ sweep, auto: "b" })).autoLeaksMore!.difference).toMatchObject({
      value: 0,
      low: 0,
      high: 0,
    });
    expect(frontierOf(cells({ sweep, auto: "d" })).autoLeaksMore).toBeNull();
    expect(frontierOf(cells({ sweep })).autoLeaksMore).toBeNull();
  });

  test("a setting that is more useful and safer needs no undefended model: the line to it alone", () => {
    const found = frontierOf(cells({ sweep: [cell("a", 0.95, 0.3), cell("b", 0.95, 0.8)], auto: "b" }));
    // Up to 0.9: heights of the two lines at the right end, half of it on average.
    const height = 0.1 + ((0.9 - 0.1) / (0.95 - 0.1)) * (0.3 - 0.1);
    expect(found.sweep[0]!.leaksMore!.difference.value).toBeCloseTo((height - 0.7) / 2, 12);
    expect(found.best).toBe("a");
    expect(found.sweep[1]!.leaksMore!.difference.value).toBeCloseTo(0, 12);
    expect(found.autoLeaksMore).toMatchObject({ from: 0.1, to: 0.95 });
    expect(found.autoLeaksMore!.difference.value).toBeGreaterThan(0);
  });

  test("cannot compare anything with an undefended model that only guesses", () => {
    const found = frontierOf(cells({ undefended: cell(null, 0.1, 0.1), sweep: [cell("a", 0.1, 0.2)], auto: "a" }));
    expect(found.sweep[0]!.leaksMore).toBeNull();
    expect([found.best, found.autoLeaksMore]).toEqual([null, null]);
  });
});
