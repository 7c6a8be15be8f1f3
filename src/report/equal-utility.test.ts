import { expect, test } from "vitest";
import { cell, evenPeople, rate } from "../../test/support/study-result.ts";
import { comparisonsOf, conditionsOf } from "./conditions.ts";
import { equalUtility } from "./equal-utility.ts";

const at = (defense: string, natural: number, attack: number, more = {}) =>
  cell({
    defense,
    naturalAccuracy: rate(natural, 0.01),
    attackAccuracy: rate(attack),
    identities: evenPeople(attack, natural, defense),
    ...more,
  });
const compared = (...cells: readonly ReturnType<typeof cell>[]) => equalUtility(comparisonsOf(conditionsOf(cells))[0]!);

test("all settings of a defense make one curve, whatever the study calls them", () => {
  const pairs = compared(
    at("none", 0.95, 0.8),
    at("tl-dmi", 0.9, 0.4),
    at("mid", 0.92, 0.5),
    at("mid", 0.85, 0.4, { defenseLabel: "mid 2" }),
  );
  expect(pairs.map(({ first, second }) => [first, second])).toEqual([["tl-dmi", "mid"]]);
  // At 0.95, 0.92 and 0.9: TL-DMI lies 0, 0.06 and −0.08 above the line through both settings of MID, 0.5 and then 0.4714 …
  const mid = 0.5 - ((0.92 - 0.9) / (0.92 - 0.85)) * 0.1;
  const tlDmi = 0.4 + ((0.92 - 0.9) / 0.05) * 0.4;
  const area = ((0 + (tlDmi - 0.5)) / 2) * 0.03 + ((tlDmi - 0.5 + (0.4 - mid)) / 2) * 0.02;
  expect(pairs[0]!.area.difference.value).toBeCloseTo(area / 0.05, 10);
});

test("an undefended target from scratch is on no curve", () => {
  const scratch = at("none", 0.9, 0.1, { start: "scratch", defenseLabel: "none 2" });
  const others = [at("none", 0.95, 0.8), at("tl-dmi", 0.9, 0.4), at("mid", 0.9, 0.5)];
  expect(compared(...others, scratch)).toEqual(compared(...others));
});
