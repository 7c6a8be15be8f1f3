import { expect, test } from "vitest";
import { type Frontier, type FrontierCell, frontierOf } from "../study/frontier-record.ts";
import { autoAgainstBest, frontierFindings } from "./frontier-findings.ts";

const near = (value: number, half = 0) => ({ value, n: 100, low: value - half, high: value + half });
const cell = (boundary: string | null, natural: number, attack: number, half = 0): FrontierCell => ({
  ...{ label: boundary ?? "none", boundary, trainableParameters: 1 },
  ...{ naturalAccuracy: near(natural, half), attackAccuracy: near(attack, half) },
});

/** Ten classes, nothing known at (0.1, 0.1), undefended at (0.9, 0.9): a knee at (x, y) hangs (x − y) / 2 below, all in the same range. */
function frontier(sweep: readonly FrontierCell[], auto: string | null, undefended = cell(null, 0.9, 0.9)): Frontier {
  return frontierOf({
    attack: "gmi",
    seed: 1,
    classes: 10,
    randomPrior: near(0.1),
    undefended,
    sweep,
    others: [],
    auto,
  });
}
const BEST = cell("a", 0.8, 0.4);

test("the best is the best", () => {
  const found = frontier([BEST, cell("b", 0.8, 0.6)], "a");
  expect(autoAgainstBest(found)).toEqual({ verdict: "the best", givenAway: 0 });
  const [start, best, choice] = frontierFindings(found);
  expect(start).toMatch(/^Without a defense, 90\.0\s%.* of gmi are recognised, at 90\.0\s%.* reach 10\.0\s%/);
  expect(best).toMatch(
    /^The best boundary is a: .* lies 20\.0 points \[20\.0, 20\.0\] below the undefended model's\.$/,
  );
  expect(choice).toMatch(/chooses a, the best of the sweep, and so is within 10\s% of the sweep's best area\.$/);
});

test.each([
  [0.43, "within", /gives away 7\.5\s% of the best's area: within 10\s% .* upper end/],
  [0.45, "beyond", /gives away 12\.5\s% of the best's area: not within 10\s%/],
])("a choice at attack accuracy %d beside 0.4 is %s", (attack, verdict, sentence) => {
  const found = frontier([BEST, cell("b", 0.8, attack)], "b");
  expect(autoAgainstBest(found)).toEqual({ verdict, givenAway: expect.closeTo((attack - 0.4) / 0.4, 6) });
  expect(frontierFindings(found)[2]).toMatch(sentence);
});

test("a value within whose interval reaches beyond is not shown", () => {
  const found = frontier([BEST, cell("b", 0.8, 0.43, 0.06)], "b");
  expect(autoAgainstBest(found).verdict).toBe("not shown");
  expect(frontierFindings(found)[2]).toMatch(/by its value, but the interval reaches beyond, so this is not shown\.$/);
});

test("both floors count where the record has both", () => {
  const found = frontier([BEST], "a", cell(null, 0.9, 0.9, 0.02));
  const high = { ...found, initialSelection: near(0.85, 0.05) };
  expect(autoAgainstBest(found).verdict).toBe("the best");
  expect(autoAgainstBest(high)).toEqual({ verdict: "no comparison" });
  expect(frontierFindings(high)[0]).toMatch(/the best initial latents without optimisation 85\.0\s%/);
  expect(frontierFindings(high)[1]).toMatch(/not shown to beat both floors/);
  expect(autoAgainstBest({ ...found, initialSelection: near(0.8, 0.05) }).verdict).toBe("the best");
});

test("nothing is said where the attack does not work, no boundary leaks less, or none was chosen", () => {
  const weak = frontier([BEST], "a", cell(null, 0.9, 0.12, 0.05));
  expect(autoAgainstBest(weak)).toEqual({ verdict: "no comparison" });
  expect(frontierFindings(weak)[1]).toMatch(/not shown to beat that floor .* nothing can be said/);
  const worse = frontier([cell("a", 0.5, 0.7)], "a");
  expect(autoAgainstBest(worse).verdict).toBe("no comparison");
  expect(frontierFindings(worse)[1]).toMatch(/^No boundary of the sweep leaks less/);
  expect(frontierFindings(frontier([BEST], null))[2]).toBe("Fisher information chooses no boundary.");
});
