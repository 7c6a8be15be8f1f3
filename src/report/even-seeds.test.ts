import { expect, test } from "vitest";
import { cell } from "../../test/support/study-result.ts";
import { evenlyFar } from "./even-seeds.ts";

const of = (attack: string, seed: number, ...defenses: readonly string[]) =>
  defenses.map((defense) => ({ result: cell({ attack, seed, defense }) }));

test("seeds that are behind others of the same attack wait for the rest", () => {
  const kept = evenlyFar([
    ...of("gmi", 1, "none", "mid"),
    ...of("gmi", 2, "none"),
    ...of("gmi", 3, "none", "mid"),
    ...of("kedmi", 2, "none"),
  ]);
  expect(kept.map(({ result: { attack, seed } }) => `${attack} ${seed}`)).toEqual([
    "gmi 1",
    "gmi 1",
    "gmi 3",
    "gmi 3",
    "kedmi 2",
  ]);
});
