import { expect, test } from "vitest";
import { cell, evenPeople, judgesOf, rate, study } from "../../test/support/study-result.ts";
import type { CellResult, StudyResult } from "../study/result.ts";
import { summarize } from "./summary.ts";

/** Everything that the summary says, with plain spaces. */
function said(cells: readonly CellResult[], overrides: Partial<StudyResult> = {}): string {
  const { paragraphs, limits } = summarize(study(cells, overrides));
  return [
    ...paragraphs.flatMap(({ opening, findings, closing }) => [opening, ...findings.map(({ text }) => text), closing]),
    ...limits,
  ]
    .join(" ")
    .replace(/[\u00a0\u202f]/g, " ");
}

const verdicts = (cells: readonly CellResult[]) =>
  summarize(study(cells)).paragraphs.flatMap(({ findings }) => findings.map(({ verdict }) => verdict));

/** A cell whose people have the rates that it has of all. */
const target = (defense: string, attack: number, natural: number) =>
  cell({
    defense,
    attackAccuracy: rate(attack),
    naturalAccuracy: rate(natural),
    identities: evenPeople(attack, natural, defense),
  });
const undefended = target("none", 0.71, 0.94);
const defended = (attack: number, natural = 0.928) => target("tl-dmi", attack, natural);

test("a lower attack accuracy is said with the difference, the boundary, the share of parameters and the price", () => {
  const cells = [undefended, defended(0.41)];
  expect(verdicts(cells)).toEqual(["lower"]);
  expect(said(cells)).toContain(
    "Without a defense, 71 % [66, 76] of the 250 reconstructions of kedmi are recognised as the attacked identity. " +
      "With tl-dmi (frozen up to layer2; 35 % of parameters see private data) it is 41 % [36, 46], 30.0 points [25.9, 34.1] less, " +
      "at 1.2 points lower natural accuracy (92.8 % against 94.0 %). " +
      "Random samples of the prior reach 4 % [2, 6], the best initial latents without optimisation 24 % [19, 29].",
  );
});

test("a difference that may be none is not said to be one", () => {
  const cells = [undefended, defended(0.69)];
  expect(verdicts(cells)).toEqual(["no difference shown"]);
  expect(said(cells)).toContain("The difference, −2.0 [−6.1, 2.1] points, may be none: none is shown.");
});

test("person by person a difference is shown where the intervals of the two rates overlap", () => {
  const cells = [undefended, defended(0.64)];
  expect(verdicts(cells)).toEqual(["lower"]);
  expect(said(cells)).toContain("it is 64 % [59, 69], 7.0 points [2.9, 11.1] less, at");
});

test("where people cannot be paired, the difference of the two rates decides, and that is said", () => {
  const one = ({ identities, ...others }: CellResult) => ({ ...others, identities: identities.slice(0, 1) });
  const alone = (attack: number) => [one(undefended), one(defended(attack))];
  const why = "(of the two intervals: the two have not the same people and seeds)";
  expect(verdicts(alone(0.63))).toEqual(["lower"]);
  expect(said(alone(0.63))).toContain(`8.0 points [0.9, 15.1] less ${why}, at`);
  expect(verdicts(alone(0.65))).toEqual(["no difference shown"]);
  expect(said(alone(0.65))).toContain(`The difference, −6.0 [−13.1, 1.1] points ${why}, may be none`);
  const otherSeed = [undefended, { ...defended(0.41), seed: 2 }];
  expect(said(otherSeed)).toContain(`30.0 points [22.9, 37.1] less ${why}`);
});

test("a defense under which the attack does better is said to not protect", () => {
  const cells = [undefended, defended(0.88)];
  expect(verdicts(cells)).toEqual(["higher"]);
  expect(said(cells)).toContain("17.0 points [12.9, 21.1] more, so it did not protect here");
});

test("an attack that does not beat its floors allows no conclusion about any defense", () => {
  const weak = cell({ attackAccuracy: rate(0.31) });
  const cells = [weak, defended(0.05)];
  expect(verdicts(cells)).toEqual(["no conclusion"]);
  expect(said(cells)).toContain("no conclusion about any defense may be drawn");
  expect(said(cells)).not.toContain("With tl-dmi");
});

test("each of the two floors counts", () => {
  const floors = { randomPrior: rate(0.7, 0.02), initialSelection: rate(0.1, 0.02) };
  expect(verdicts([{ ...undefended, floors }, defended(0.05)])).toEqual(["no conclusion"]);
});

test("a fall of natural accuracy above five points is a warning, one of five or less is not", () => {
  const warning = "Natural accuracy falls by more than 5 points";
  expect(said([undefended, defended(0.41, 0.88)])).toContain(warning);
  expect(said([undefended, defended(0.41, 0.895)])).not.toContain(warning);
});

test("equal and higher natural accuracy are called so", () => {
  expect(said([undefended, defended(0.41, 0.94)])).toContain("at the same natural accuracy (94.0 % against 94.0 %)");
  expect(said([undefended, defended(0.41, 0.95)])).toContain("at 1.0 points higher natural accuracy");
});

test("a defended model on which the attack is not above its floor is said to be so", () => {
  expect(said([undefended, defended(0.26)])).toContain(
    "That is not shown to lie above what initial selection alone reaches on this model (24 % [19, 29]).",
  );
  expect(said([undefended, defended(0.41)])).not.toContain("initial selection alone");
});

test("with one seed the intervals are said to leave seeds out", () => {
  expect(said([undefended, defended(0.41)])).toContain(
    "One seed was run: the intervals of rates are over images, each a trial of its own, not over people or seeds",
  );
  expect(said([undefended, defended(0.41)])).toContain("Differences of targets are over people, and not over seeds.");
});

test("with several seeds the summary speaks of means", () => {
  const cells = [1, 2, 3].flatMap((seed) => [
    { ...undefended, seed },
    { ...defended(0.41), seed },
  ]);
  expect(said(cells)).toContain("Values are means over 3 seeds");
  expect(said(cells)).toContain("of a difference of targets, that of Student's t over people and over seeds.");
  expect(said(cells)).toContain("of the 750 reconstructions");
  expect(said([...cells, { ...undefended, seed: 4 }])).toContain("means over up to 4 seeds");
});

test("seeds that scatter take a difference back that single runs seem to show", () => {
  const scattered = [0.2, 0.64].map((accuracy, seed) => ({ ...defended(accuracy), seed }));
  const cells = [{ ...undefended, seed: 0 }, { ...undefended, seed: 1 }, ...scattered];
  expect(verdicts(cells)).toEqual(["no difference shown"]);
});

test("without an undefended cell nothing is said about a change", () => {
  expect(verdicts([defended(0.41)])).toEqual(["no comparison"]);
  expect(said([defended(0.41)])).toContain("nothing can be said about what a defense changes");
});

test("an undefended cell alone shows what leaks and no more", () => {
  expect(said([undefended])).toContain("No defended model was attacked");
});

test("several defenses and attacks have a finding each", () => {
  const cells = [undefended, defended(0.41), target("mid", 0.7, 0.928), cell({ attack: "gmi" })];
  const { paragraphs } = summarize(study(cells));
  expect(paragraphs.map(({ title, findings }) => [title, findings.map(({ verdict }) => verdict)])).toEqual([
    ["kedmi", ["lower", "no difference shown"]],
    ["gmi", []],
  ]);
});

test("defenses are compared at equal natural accuracy where the difference is shown", () => {
  const at = (defense: string, natural: number, attack: number) =>
    cell({
      defense,
      attackAccuracy: rate(attack),
      naturalAccuracy: rate(natural, 0.01),
      identities: evenPeople(attack, natural, defense),
    });
  const [none, strong, weak] = [at("none", 0.94, 0.71), at("tl-dmi", 0.9, 0.4), at("bido", 0.9, 0.65)];
  // Both curves lead from the undefended 71 % at 94 % down to 90 %: half of the 25 points at its end.
  expect(said([none, weak, strong])).toMatch(
    /At equal natural accuracy, from 90\.0 % to 94\.0 %, attacks on tl-dmi reach 12\.5 points \[\d[\d.]*, \d[\d.]*\] less than on bido\./,
  );
  expect(said([none, at("bido", 0.9, 0.41), strong])).not.toContain("At equal natural accuracy");
});

test("what other judges do not confirm is said", () => {
  const judged = (defense: string, attack: number, second: number) => {
    const { judges, ...shares } = judgesOf(attack);
    const other = judges
      .map((one, place) => (place === 1 ? { ...one, attackAccuracy: rate(second) } : one))
      .slice(0, 2);
    const natural = defense === "none" ? 0.94 : 0.9;
    const identities = evenPeople(attack, natural, defense).map((person) => {
      const attackAccuracy = [person.attackAccuracy, second + 0.5 * (person.attackAccuracy - attack)];
      return { ...person, judges: { attackAccuracy, unanimous: 0.1 } };
    });
    const naturalAccuracy = rate(natural, 0.01);
    return cell({
      defense,
      attackAccuracy: rate(attack),
      naturalAccuracy,
      judges: { ...shares, judges: other },
      identities,
    });
  };
  const none = judged("none", 0.71, 0.55);
  expect(said([none, judged("tl-dmi", 0.41, 0.7)])).toContain(
    "Other judges do not confirm it. resnet18 sees more: 70 % [65, 75] against 55 % [50, 60] without a defense, 15.0 [",
  );
  expect(said([none, judged("tl-dmi", 0.41, 0.54)])).toContain("resnet18 leaves it open: 54 % [49, 59] against");
  expect(said([none, judged("tl-dmi", 0.41, 0.3)])).not.toContain("do not confirm");
  const alone = [none, judged("tl-dmi", 0.41, 0.7)].map((one) => ({ ...one, identities: one.identities.slice(0, 1) }));
  expect(said(alone), "one person has no difference of its own").toContain("resnet18 sees more: 70 % [65, 75] against");
  const rivals = (second: number) => said([none, judged("tl-dmi", 0.41, 0.3), judged("bido", 0.2, second)]);
  expect(rivals(0.5)).toMatch(
    /attacks on bido reach .+ less than on tl-dmi\. Other judges do not confirm it: resnet18 sees it the other way/,
  );
  expect(rivals(0.3)).toContain("less than on tl-dmi. Other judges do not confirm it: resnet18 shows no difference.");
  expect(rivals(0.1)).not.toContain("do not confirm it:");
});

test("the judge's own accuracy, failed cells and an empty study are said", () => {
  expect(said([undefended])).toContain(
    "evaluation model vgg16_bn, recognises 97.4 % [96.4, 98.4] of real private test images",
  );
  const failed = [{ defense: "tl-dmi", attack: "kedmi", seed: 1, message: "loss became NaN" }];
  expect(said([undefended], { status: "partial", failed })).toContain("1 of 2 cells failed and are missing here.");
  expect(said([], { status: "partial" })).toContain("No cell of this study has finished");
});
