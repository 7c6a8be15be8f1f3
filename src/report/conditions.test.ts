import { expect, test } from "vitest";
import { cell, rate } from "../../test/support/study-result.ts";
import { comparisonsOf, conditionsOf } from "./conditions.ts";

test("cells that differ in the seed alone are one condition", () => {
  const conditions = conditionsOf([
    cell({ seed: 2, attackAccuracy: rate(0.6) }),
    cell({ seed: 1, attackAccuracy: rate(0.7) }),
  ]);
  expect(conditions).toHaveLength(1);
  expect(conditions[0]?.cells.map(({ seed }) => seed)).toEqual([1, 2]);
  expect(conditions[0]?.attackAccuracy.value).toBeCloseTo(0.65, 12);
});

test("the same setting and seed twice is two conditions with different names, never an average", () => {
  const conditions = conditionsOf([cell(), cell({ defense: "bido" }), cell({ defense: "bido" })]);
  expect(conditions.map(({ label }) => label)).toEqual(["no defense", "bido", "bido (2)"]);
});

test("boundaries and models are named only where the study has several", () => {
  const one = conditionsOf([cell(), cell({ defense: "tl-dmi" })]);
  expect(one.map(({ label }) => label)).toEqual(["no defense", "tl-dmi"]);
  const boundaries = conditionsOf([
    cell(),
    cell({ defense: "tl-dmi" }),
    cell({ defense: "tl-dmi", boundary: "layer3" }),
  ]);
  expect(boundaries.map(({ label }) => label)).toEqual(["no defense", "tl-dmi · layer2", "tl-dmi · layer3"]);
  const models = conditionsOf([cell(), cell({ model: "vgg16_bn" })]);
  expect(models.map(({ label }) => label)).toEqual(["resnet18 · no defense", "vgg16_bn · no defense"]);
});

test("entries with names of their own are told apart and called by them", () => {
  const conditions = conditionsOf([
    cell({ attack: "gmi" }),
    cell({ attack: "gmi", attackLabel: "lomma" }),
    cell({ attack: "gmi", attackLabel: "lomma", defense: "tl-dmi", defenseLabel: "late" }),
  ]);
  expect(conditions.map(({ attack, label }) => [attack, label])).toEqual([
    ["gmi", "no defense"],
    ["lomma", "no defense"],
    ["lomma", "late"],
  ]);
  expect(comparisonsOf(conditions).map(({ title, all }) => [title, all.length])).toEqual([
    ["gmi", 1],
    ["lomma", 2],
  ]);
});

test("colour 0 belongs to the undefended model, even where a defense comes first or nothing undefended was run", () => {
  const late = conditionsOf([cell({ defense: "tl-dmi" }), cell()]);
  expect(late.map(({ labelIndex }) => labelIndex)).toEqual([1, 0]);
  expect(conditionsOf([cell({ defense: "tl-dmi" })])[0]?.labelIndex).toBe(1);
});

test("an undefended target from scratch is neither the control nor put together with it", () => {
  const scratch = cell({ start: "scratch", attackAccuracy: rate(0.3) });
  const [pooled] = comparisonsOf(conditionsOf([cell({ seed: 1 }), { ...scratch, seed: 2 }]));
  expect(pooled!.undefended!.cells.map(({ seed }) => seed)).toEqual([1]);
  expect(pooled!.defended.map(({ label }) => label)).toEqual(["no defense, from scratch"]);
  const named = conditionsOf([
    { ...scratch, defenseLabel: "none 2" },
    { ...scratch, defenseLabel: "cold" },
  ]);
  expect(named.map(({ label }) => label)).toEqual(["no defense, from scratch", "cold"]);
  expect(comparisonsOf(named)[0]!.undefended).toBeUndefined();
});

test("a defense is compared with the undefended model under the same attack on the same architecture", () => {
  const comparisons = comparisonsOf(
    conditionsOf([
      cell({ defense: "tl-dmi" }),
      cell(),
      cell({ attack: "gmi" }),
      cell({ model: "vgg16_bn", defense: "tl-dmi" }),
    ]),
  );
  expect(
    comparisons.map(({ title, undefended, defended }) => [
      title,
      undefended?.model,
      defended.map(({ model }) => model),
    ]),
  ).toEqual([
    ["kedmi on resnet18", "resnet18", ["resnet18"]],
    ["gmi on resnet18", "resnet18", []],
    ["kedmi on vgg16_bn", undefined, ["vgg16_bn"]],
  ]);
  expect(comparisons[0]?.all[0]?.undefended).toBe(true);
});
