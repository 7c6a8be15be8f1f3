import { describe, expect, test } from "vitest";
import { cell, rate } from "../../test/support/study-result.ts";
import { random } from "../engine/random.ts";
import type { CellResult } from "../study/result.ts";
import { conditionsOf } from "./conditions.ts";
import { pairedArea } from "./paired-area.ts";
import { pairedDifference } from "./paired-difference.ts";

/** Each person's natural accuracy and attack accuracy. */
type People = readonly (readonly [natural: number, attack: number])[];

function found(defense: string, seed: number, people: People): CellResult {
  const identities = people.map(([naturalAccuracy, attackAccuracy], label) => ({
    ...cell().identities[0]!,
    ...{ identity: `person ${label}`, label, naturalAccuracy, attackAccuracy },
  }));
  const mean = (at: 0 | 1) => rate(people.reduce((sum, person) => sum + person[at], 0) / people.length);
  return cell({ defense, seed, identities, naturalAccuracy: mean(0), attackAccuracy: mean(1) });
}

/** The area between the curves of two defenses, `a` and `b`, that begin at the undefended model. */
function area(cells: readonly CellResult[]) {
  const conditions = conditionsOf(cells);
  const curve = (name: string) => conditions.filter(({ defense }) => defense === "none" || defense === name);
  return pairedArea(curve("a"), curve("b"));
}

describe("the area between two curves, person by person", () => {
  const none: People = [
    [1, 0.9],
    [1, 0.7],
    [1, 0.5],
  ];
  const a: People = [
    [0.8, 0.4],
    [0.8, 0.4],
    [0.8, 0.1],
  ];
  const b: People = [
    [0.8, 0.8],
    [0.8, 0.6],
    [0.8, 0.1],
  ];

  test("is half the difference of two settings of the same natural accuracy, and so is its interval", () => {
    const { value, low, high } = pairedDifference([found("b", 1, b)], [found("a", 1, a)], "attackAccuracy");
    const { difference, from, to } = area([found("none", 1, none), found("a", 1, a), found("b", 1, b)])!;
    expect(difference.value).toBeCloseTo(value / 2, 12);
    expect(difference.low).toBeCloseTo(low / 2, 12);
    expect(difference.high).toBeCloseTo(high / 2, 12);
    expect([from, to]).toEqual([expect.closeTo(0.8, 12), 1]);
  });

  test("is as wide as the seeds' spread where that is wider", () => {
    const shifted = (people: People, by: number): People => people.map(([x, y]) => [x, y + by]);
    const seeds = (by: number) => [
      ...[found("none", 1, none), found("a", 1, a), found("b", 1, a)],
      ...[found("none", 2, none), found("a", 2, a), found("b", 2, shifted(a, by))],
    ];
    // 0 and −0.01 over seeds: t of one degree of freedom 12.706 times 0.005.
    const { difference } = area(seeds(0.02))!;
    expect(difference.value).toBeCloseTo(-0.005, 12);
    expect(difference.high - difference.value).toBeCloseTo(12.706 * 0.005, 4);
  });

  test("holds the truth in 95 of 100 studies, natural accuracies and people varying", () => {
    const rng = random(5, "areas");
    const truth = (0.35 - 0.5) / 2;
    let held = 0;
    const trials = 300;
    for (let trial = 0; trial < trials; trial++) {
      // People differ in how hard they are to find, seeds in both accuracies, and each cell in its reconstructions.
      const hard = Array.from({ length: 30 }, () => 0.1 * rng.normal());
      const drawn = (defense: string, seed: number, natural: number, attack: number) => {
        const [dx, dy] = [0.005 * rng.normal(), 0.02 * rng.normal()];
        return found(
          defense,
          seed,
          hard.map((by) => [natural + dx + 0.02 * rng.normal(), attack + dy + by + 0.1 * rng.normal()]),
        );
      };
      const cells = [1, 2, 3].flatMap((seed) => [
        drawn("none", seed, 0.95, 0.7),
        drawn("a", seed, 0.85, 0.35),
        drawn("b", seed, 0.85, 0.5),
      ]);
      const { low, high } = area(cells)!.difference;
      if (low <= truth && truth <= high) held++;
    }
    expect(held / trials).toBeGreaterThan(0.93);
  });

  test("people whose accuracy is no number, or null as JSON has it, have no say in it", () => {
    const targets = { none, a, b };
    const plain = Object.entries(targets).map(([name, people]) => found(name, 1, people));
    for (const missing of [Number.NaN, null as unknown as number]) {
      const stranger = found("none", 1, [...none, [0.9, missing]]).identities.at(-1)!;
      const more = plain.map((one) => ({ ...one, identities: [...one.identities, stranger] }));
      expect(area(more)).toEqual(area(plain));
      const few = plain.map((one) => ({ ...one, identities: [one.identities[0]!, stranger] }));
      expect(area(few)).toBeUndefined();
    }
  });

  test("there is none where a person decides whether the curves share a range, or two people are not in common", () => {
    expect(area([found("none", 1, none), found("a", 1, a.slice(0, 1)), found("b", 1, b)])).toBeUndefined();
    // Only the first person's natural accuracy brings the first curve below the undefended model, where the second has points.
    const barely: People = [
      [0.97, 0.4],
      [1.01, 0.4],
      [1.01, 0.1],
    ];
    expect(area([found("none", 1, none), found("a", 1, barely), found("b", 1, b)])).toBeUndefined();
    expect(area([found("none", 1, none), found("a", 2, a), found("b", 1, b)])).toBeUndefined();
  });
});
