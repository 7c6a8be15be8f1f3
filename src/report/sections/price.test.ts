import { expect, test } from "vitest";
import { cell, evenPeople, judgesOf, rate } from "../../../test/support/study-result.ts";
import type { CellResult } from "../../study/result.ts";
import { comparisonsOf, conditionsOf } from "../conditions.ts";
import { toMarkup } from "../escape.ts";
import { priceOfProtection } from "./price.ts";

const page = (cells: readonly CellResult[]) =>
  toMarkup(priceOfProtection(comparisonsOf(conditionsOf(cells)))).replaceAll("\u00a0", " ");

const at = (defense: string, natural: number, attack: number, boundary: string | null = null) =>
  cell({
    defense,
    boundary,
    naturalAccuracy: rate(natural, 0.005, 500),
    attackAccuracy: rate(attack, 0.02),
    identities: evenPeople(attack, natural, defense),
  });
const none = at("none", 0.94, 0.8);

test("says what a defense saves, what it costs, and their ratio", () => {
  const markup = page([none, at("tl-dmi", 0.92, 0.4, "layer2"), at("mid", 0.95, 0.6)]);
  expect(markup).toContain(">40.0</td>");
  expect(markup).toContain(">2.0</td>");
  expect(markup).toMatch(/>20\.0<small>\[\d/);
  expect(markup).toContain("–<small>natural accuracy does not fall</small>");
});

test("a fall that may be none has a ratio without an interval", () => {
  expect(page([none, at("tl-dmi", 0.937, 0.4)])).toContain("the fall may be none");
});

test("two defenses are compared at equal natural accuracy, over all their settings", () => {
  const cells = [none, at("tl-dmi", 0.92, 0.4, "layer2"), at("tl-dmi", 0.9, 0.3, "layer3"), at("bido", 0.9, 0.6)];
  const markup = page(cells);
  expect(markup).toContain("90.0 % to 94.0 %");
  // Between 0.9 and 0.92 the gap runs from −0.3 to −0.3 (0.4 against 0.7), then to zero: −30 · ½ − 15 · ½.
  expect(markup).toMatch(/>−22\.5<small>\[−2\d\.\d, −1\d\.\d\]/);
});

test("further judges have a column of their own", () => {
  const judged = [none, at("tl-dmi", 0.9, 0.3), at("bido", 0.9, 0.6)].map((one) => ({
    ...one,
    judges: judgesOf(one.attackAccuracy.value),
  }));
  const markup = page(judged);
  expect(markup).toContain("seen by resnet18");
  // Half of the 30 points at the end of both curves; the others see 0.8 and half of what the evaluation model sees.
  for (const points of ["15.0", "12.0", "7.5"]) expect(markup).toMatch(new RegExp(`>−${points}<small>\\[−`));
  expect(page([none, at("tl-dmi", 0.9, 0.3), at("bido", 0.9, 0.6)])).not.toContain("seen by");
});

test("an attack that does not beat its floors says nothing about defenses", () => {
  const floors = { randomPrior: rate(0.1, 0.05), initialSelection: rate(0.78, 0.05) };
  const gmi = [none, at("tl-dmi", 0.92, 0.4)].map((c) => ({ ...c, attack: "gmi", floors }));
  expect(page(gmi)).toBe("");
  const both = page([...gmi, none, at("tl-dmi", 0.92, 0.4)]);
  expect(both).toContain("Attacks that do not beat their floors without a defense are left out.");
  expect(both).not.toContain(">gmi<");
});

test("without an undefended or a defended model there is nothing to price", () => {
  expect(page([none])).toBe("");
  expect(page([at("tl-dmi", 0.9, 0.4)])).toBe("");
});
