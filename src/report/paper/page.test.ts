import { describe, expect, test } from "vitest";
import { cell, evenPeople, judgesOf, rate } from "../../../test/support/study-result.ts";
import type { FisherRecord } from "../../study/fisher.ts";
import type { CellResult } from "../../study/result.ts";
import { type Answer, answer, type Claim, type Question } from "./claim.ts";
import { attributes } from "./claims/attributes.ts";
import { betterThanRivals, withBido } from "./claims/equal-utility.ts";
import { fewerParameters } from "./claims/fewer-parameters.ts";
import { earlyForInversion, lateForTheTask } from "./claims/fisher-pattern.ts";
import { lessAccess, lowerLeak } from "./claims/lower-leak.ts";
import { pretrainingDistance } from "./claims/pretraining-distance.ts";
import { secondJudge } from "./claims/second-judge.ts";
import type { EvidenceCell, StudyEvidence } from "./evidence.ts";
import { beyondReach, claims, paperPage } from "./index.ts";

const SEEDS = [1, 2, 3];

/** A made-up target under an attack, for three seeds that differ a little. */
interface Made {
  readonly defense: string;
  readonly label?: string;
  readonly natural: number;
  readonly attack: number;
  readonly trained?: number;
  readonly by?: string;
  readonly access?: string;
  readonly missing?: boolean;
  readonly start?: "scratch";
  /** How much more is found for each of the seeds. */
  readonly shifts?: readonly number[];
  readonly more?: Partial<CellResult>;
}

function cellsOf({ defense, label = defense, natural, attack, missing, by = "kedmi", ...rest }: Made): EvidenceCell[] {
  const { access = "white-box", trained = 1000, start, shifts, more } = rest;
  return SEEDS.map((seed) => {
    const name = `${label}-${by}-seed${seed}`;
    const at = { defense, label, target: `${label} ${seed}`, attack: by, access, seed, name, ...(start && { start }) };
    if (missing && seed === 3) return at;
    const drift = 0.002 * (seed - 2);
    const found = attack + drift + (shifts?.[seed - 1] ?? 0);
    const result = cell({
      defense,
      ...(label !== defense && defense === "none" && { defenseLabel: label }),
      ...(start && { start }),
      attack: by,
      seed,
      boundary: label === defense ? null : label,
      trainableParameters: trained,
      naturalAccuracy: rate(natural + drift, 0.01, 800),
      attackAccuracy: rate(found, 0.03, 600),
      judges: judgesOf(attack),
      identities: evenPeople(found, natural + drift, defense),
      ...more,
    });
    return { ...at, result, file: `records/made/${name}.json` };
  });
}

const made = (rows: readonly Made[], more: Partial<StudyEvidence> = {}): StudyEvidence => ({
  name: "made",
  file: "studies/made.yaml",
  model: "resnet18",
  pretraining: "no-faces",
  judges: true,
  attributes: true,
  cells: rows.flatMap(cellsOf),
  ...more,
});

const NONE: Made = { defense: "none", natural: 0.94, attack: 0.7, trained: 4000 };
const tl = (label: string, natural: number, attack: number, trained: number): Made => ({
  defense: "tl-dmi",
  label: `tl-dmi ${label}`,
  natural,
  attack,
  trained,
});

const answersTo = (claim: Claim, ...studies: readonly StudyEvidence[]): Answer[] =>
  claim.questions(studies).map(answer);
const verdicts = (claim: Claim, ...studies: readonly StudyEvidence[]) =>
  answersTo(claim, ...studies).map(({ verdict }) => verdict);

describe("TL-DMI leaks less", () => {
  test.each([
    ["holds here", "less is found at nearly equal natural accuracy", tl("layer3", 0.93, 0.4, 2000)],
    ["does not hold here", "more is found", tl("layer3", 0.93, 0.85, 2000)],
    ["does not hold here", "natural accuracy falls far", tl("layer3", 0.8, 0.4, 2000)],
    ["not shown here", "it may fall too far", tl("layer3", 0.89, 0.4, 2000)],
    ["not shown here", "the difference is within the intervals", tl("layer3", 0.93, 0.69, 2000)],
    ["not measured yet", "a seed is missing", { ...tl("layer3", 0.93, 0.4, 2000), missing: true }],
  ] as const)("%s where %s", (verdict, _, defended) => {
    expect(verdicts(lowerLeak, made([NONE, defended]))).toEqual([verdict]);
  });

  test("an attack that does not beat its floors decides nothing, however well the defense looks", () => {
    const weak = { ...NONE, attack: 0.25 };
    const [found] = answersTo(lowerLeak, made([weak, tl("layer3", 0.93, 0.02, 2000)]));
    expect(found).toMatchObject({ verdict: "not testable here", why: expect.stringContaining("floors") });
  });

  test("a missing cell is counted", () => {
    const study = made([NONE, { ...tl("layer3", 0.93, 0.4, 2000), missing: true }]);
    expect(answersTo(lowerLeak, study)[0]!.why).toBe("5 of 6 records");
  });

  test("people without test images are left out, and where nobody else is, nothing is tested", () => {
    const without = (row: Made, left: number): Made => {
      const identities = evenPeople(row.attack, row.natural, row.defense).map((person, i) =>
        i < left ? person : { ...person, naturalAccuracy: null as unknown as number },
      );
      return { ...row, more: { identities } };
    };
    const defended = tl("layer3", 0.93, 0.4, 2000);
    // Were they to count as zero beside those who lose 10 points, the fall would look small.
    const falls = tl("layer3", 0.84, 0.4, 2000);
    expect(verdicts(lowerLeak, made([without(NONE, 12), without(falls, 12)]))).toEqual(["does not hold here"]);
    expect(answersTo(lowerLeak, made([without(NONE, 1), without(defended, 1)]))[0]).toMatchObject({
      verdict: "not testable here",
      why: expect.stringContaining("fewer than two people"),
    });
  });

  test("a target's natural accuracy is of all people that another study's record of the same target tells of", () => {
    const rows = [NONE, tl("layer3", 0.93, 0.4, 2000)];
    const some = (row: Made): Made => ({
      ...row,
      more: { identities: evenPeople(row.attack, row.natural, row.defense).slice(0, 5) },
    });
    const few = made(rows.map(some), { name: "few" });
    const [alone] = answersTo(lowerLeak, few);
    const [found] = answersTo(lowerLeak, few, made(rows));
    expect(alone!.figures).toMatch(/natural accuracy .+ points$/);
    expect(found!.figures).toMatch(/natural accuracy .+ points of \d+ people$/);
    expect(found!.figures.split(";")[0]).toBe(alone!.figures.split(";")[0]);
    expect(found!.question.needs).toHaveLength(12);
    // Measured on other images, or computed by another version: another target after all.
    const other = made(rows.map((row) => ({ ...row, more: { naturalAccuracy: rate(0.5, 0.01, 800) } })));
    expect(answersTo(lowerLeak, few, other)[0]!.figures).toBe(alone!.figures);
  });

  test("only a target from pre-trained weights is the control", () => {
    const cold: Made = { ...NONE, label: "none 2", attack: 0.1, start: "scratch" };
    const defended = tl("layer3", 0.93, 0.4, 2000);
    for (const rows of [
      [NONE, cold, defended],
      [{ ...cold, label: "none" }, { ...NONE, label: "none 2" }, defended],
    ]) {
      const [found] = answersTo(lowerLeak, made(rows));
      expect(found).toMatchObject({ verdict: "holds here", figures: expect.stringContaining("against 70.0") });
      expect(found!.question.needs).toHaveLength(6);
    }
    const [none] = answersTo(lowerLeak, made([cold, defended]));
    expect(none).toMatchObject({ verdict: "not testable here", why: expect.stringContaining("no undefended target") });
    expect(verdicts(secondJudge, made([defended]))).toEqual(["not testable here"]);
    expect(answersTo(betterThanRivals, made([cold, defended, { ...defended, defense: "mid" }]))).toEqual([]);
  });

  test("an answer says that it rests on one seed", () => {
    const study = made([NONE, tl("layer3", 0.93, 0.4, 2000)]);
    const single = { ...study, cells: study.cells.filter(({ seed }) => seed === 2) };
    expect(answersTo(lowerLeak, single)[0]!.figures).toMatch(/points; one seed$/);
    expect(answersTo(lowerLeak, study)[0]!.figures).not.toContain("one seed");
  });

  test("attackers with less access have a claim of their own", () => {
    const by = { by: "lokt", access: "labels" };
    const study = made([
      { ...NONE, ...by },
      { ...tl("layer3", 0.93, 0.72, 2000), ...by },
    ]);
    expect(verdicts(lessAccess, study)).toEqual(["not shown here"]);
    expect(answersTo(lowerLeak, study)).toEqual([]);
  });
});

describe("at equal natural accuracy", () => {
  const good = [tl("layer2", 0.92, 0.62, 3000), tl("layer3", 0.88, 0.5, 2000)];
  const rival = (attack: number): Made[] => [{ defense: "mid", natural: 0.88, attack }];

  test.each([
    ["holds here", 0.68],
    ["does not hold here", 0.1],
  ] as const)("%s against a rival that leaks %d", (verdict, attack) => {
    expect(verdicts(betterThanRivals, made([NONE, ...good, ...rival(attack)]))).toEqual([verdict]);
  });

  test("without a common natural accuracy nothing is tested", () => {
    const study = made([NONE, tl("layer3", 0.96, 0.3, 2000), ...rival(0.4)]);
    expect(verdicts(betterThanRivals, study)).toEqual(["not testable here"]);
  });

  test("a combination is held against each of its parts", () => {
    const both = { defense: "tl-dmi + bido-hsic", natural: 0.88, attack: 0.1 };
    const study = made([NONE, ...good, { defense: "bido-hsic", natural: 0.88, attack: 0.5 }, both]);
    expect(answersTo(withBido, study).map(({ verdict, question }) => [question.about, verdict])).toEqual([
      ["resnet18, kedmi: tl-dmi + bido-hsic against tl-dmi", "holds here"],
      ["resnet18, kedmi: tl-dmi + bido-hsic against bido-hsic", "holds here"],
    ]);
  });
});

describe("fewer parameters", () => {
  const rows = (a: number, b: number, c: number, shifts: readonly number[]): Made[] => [
    NONE,
    tl("layer1", 0.93, a, 3000),
    { ...tl("layer2", 0.92, b, 2000), shifts },
    { ...tl("layer3", 0.9, c, 1000), shifts: shifts.map((shift) => -shift) },
    { ...tl("layer4", 0.7, 2 * c - b, 500) },
  ];
  /** In the last seed two boundaries change places. */
  const sweep = (a: number, b: number, c: number) => made(rows(a, b, c, [0, 0, (c - b) * 0.6]));

  test("holds where attack accuracy falls with them, and not where it rises", () => {
    expect(verdicts(fewerParameters, sweep(0.6, 0.5, 0.4))).toEqual(["holds here"]);
    expect(verdicts(fewerParameters, sweep(0.75, 0.8, 0.85))).toEqual(["does not hold here"]);
  });

  test("an order without any spread must be one that chance seldom brings", () => {
    const five = rows(0.6, 0.5, 0.4, [0, 0, 0]);
    expect(answersTo(fewerParameters, made(five))[0]).toMatchObject({
      verdict: "holds here",
      figures: expect.stringMatching(/ρ 1\.00 \[1\.00, 1\.00\].* 1\.\d\s% of random orders/),
    });
    expect(answersTo(fewerParameters, made(five.slice(0, 4)))[0]).toMatchObject({
      verdict: "not shown here",
      why: "too few boundaries to rule out chance",
    });
  });

  test("is not shown where one person makes the order", () => {
    // Of ten people nine are found as often in every target; the last rises with the trained parameters, which decides every seed's order.
    const oneDecides = (row: Made, by: number): Made => ({
      ...row,
      attack: 0.6 + by / 10,
      more: {
        identities: Array.from({ length: 10 }, (_, label) => ({
          ...cell().identities[0]!,
          ...{ identity: `person ${label}`, label, attackAccuracy: label === 9 ? 0.6 + by : 0.6 },
        })),
      },
    });
    const study = made(
      [NONE, tl("layer1", 0.93, 0, 3000), tl("layer2", 0.92, 0, 2000), tl("layer3", 0.9, 0, 1000)].map((row, i) =>
        oneDecides(row, 0.3 - 0.1 * i),
      ),
    );
    const [found] = answersTo(fewerParameters, study);
    expect(found).toMatchObject({ verdict: "not shown here", why: "the interval of ρ holds zero" });
    expect(found!.figures).toContain("ρ 1.00 [−1.00, 1.00]");
  });

  test("is not tested where hardly anybody's rates are known", () => {
    const study = made(rows(0.6, 0.5, 0.4, [0, 0, 0]).map((row) => ({ ...row, more: { identities: [] } })));
    expect(verdicts(fewerParameters, study)).toEqual(["not testable here"]);
  });

  test("says that natural accuracy has no say in it", () => {
    expect(fewerParameters.test).toContain("Natural accuracy has no say in it");
  });
  test("is not asked of two boundaries", () => {
    expect(answersTo(fewerParameters, made([NONE, tl("layer1", 0.93, 0.5, 3000)]))).toEqual([]);
  });
});

describe("Fisher information", () => {
  const layers = (inversion: (i: number) => number, classification: (i: number) => number) =>
    Array.from({ length: 13 }, (_, i) => ({
      layer: `features.${i}`,
      stage: `stage${i}`,
      kernel: true,
      parameters: 10,
      inversion: inversion(i),
      classification: classification(i),
    }));
  const study = (analysed: number): StudyEvidence => {
    const record = {
      layers: layers(
        (i) => 20 - i,
        (i) => 20 - i,
      ),
    } as unknown as FisherRecord;
    const evidence = made([{ ...NONE, by: "gmi" }], { model: "vgg16_bn" });
    return {
      ...evidence,
      cells: evidence.cells.map((one) =>
        one.seed <= analysed ? { ...one, fisher: { record, file: `records/made/${one.name}.fisher.json` } } : one,
      ),
    };
  };

  test("each half of the pattern is judged by itself", () => {
    expect(verdicts(earlyForInversion, study(3))).toEqual(["holds here"]);
    expect(verdicts(lateForTheTask, study(3))).toEqual(["does not hold here"]);
  });
  test("an analysis of each seed is needed", () => {
    expect(answersTo(lateForTheTask, study(2))[0]).toMatchObject({
      verdict: "not measured yet",
      why: "5 of 6 records",
    });
  });
});

describe("what the paper leaves open", () => {
  const study = made([NONE, tl("layer3", 0.93, 0.3, 2000)]);
  test("all judges and attributes are asked", () => {
    expect(verdicts(secondJudge, study)).toEqual(["holds here"]);
    expect(answersTo(attributes, study).map(({ verdict, question }) => [question.about, verdict])).toEqual([
      ["resnet18, kedmi: tl-dmi layer3, numbers", "holds here"],
      ["resnet18, kedmi: tl-dmi layer3, categories", "holds here"],
    ]);
  });
  test("judges that are not the same ones in all records decide nothing", () => {
    const { judges, ...shares } = judgesOf(0.3);
    const others = { judges: { ...shares, judges: judges.slice(0, 2) } };
    const defended = tl("layer3", 0.93, 0.3, 2000);
    const other = made([NONE, { ...defended, more: others }]);
    const mixed = {
      ...study,
      cells: study.cells.map((one) => (one.seed === 2 ? other.cells.find(({ name }) => name === one.name)! : one)),
    };
    for (const evidence of [other, mixed])
      expect(answersTo(secondJudge, evidence)[0]).toMatchObject({
        verdict: "not testable here",
        why: expect.stringContaining("same judges"),
      });
  });
  describe("against a rival, judge by judge", () => {
    const good = [tl("layer2", 0.92, 0.62, 3000), tl("layer3", 0.88, 0.5, 2000)];
    /** A rival of whose reconstructions the second judge sees another share than usual. */
    const rival = (attack: number, second = 0.8 * attack): Made => {
      const identities = evenPeople(attack, 0.88, "mid").map((person) => {
        const [first, , third] = person.judges!.attackAccuracy;
        const attackAccuracy = [first!, second + 0.8 * (first! - attack), third!];
        return { ...person, judges: { ...person.judges!, attackAccuracy } };
      });
      const { judges, ...shares } = judgesOf(attack);
      const other = judges.map((one, place) => (place === 1 ? { ...one, attackAccuracy: rate(second) } : one));
      return { defense: "mid", natural: 0.88, attack, more: { identities, judges: { ...shares, judges: other } } };
    };
    test.each([
      ["holds here", "every judge sees less", rival(0.68)],
      ["does not hold here", "every judge sees more", rival(0.1)],
      ["not shown here", "one judge sees less, another more", rival(0.68, 0.1)],
      ["not shown here", "not for every judge", rival(0.68, 0.39)],
    ] as const)("%s where %s", (verdict, why, other) => {
      const found = answersTo(secondJudge, made([NONE, ...good, other])).at(-1)!;
      expect(found).toMatchObject({ verdict, why: expect.stringContaining(why) });
      expect(found.question.about).toBe("resnet18, kedmi: tl-dmi against mid");
      expect(found.figures).toMatch(/^vgg16_bn \S+ \[.+\], resnet18 .+, face matcher 2\.1 .+, what all see .+ points$/);
    });
    test("records that do not say what each judge saw of each person decide nothing", () => {
      const identities = evenPeople(0.68, 0.88, "mid").map(({ judges: _, ...person }) => person);
      const study = made([NONE, ...good, { defense: "mid", natural: 0.88, attack: 0.68, more: { identities } }]);
      expect(answersTo(secondJudge, study).at(-1)).toMatchObject({
        verdict: "not testable here",
        why: expect.stringContaining("of each person"),
      });
    });
  });
  test("attributes that nobody could read from real images decide nothing", () => {
    const blind = (row: Made): Made => {
      const attributeRecovery = cell({ attackAccuracy: rate(row.attack, 0.03, 600) }).attributeRecovery.map((one) =>
        one.kind === "category" || one.name === "skin tone" ? { ...one, real: one.guess } : one,
      );
      return { ...row, more: { attributeRecovery } };
    };
    const [numbers, categories] = answersTo(attributes, made([blind(NONE), blind(tl("layer3", 0.93, 0.3, 2000))]));
    expect(numbers).toMatchObject({ verdict: "holds here", figures: expect.stringMatching(/^mouth position: error/) });
    expect(categories).toMatchObject({ verdict: "not testable here", why: expect.stringContaining("real images") });
  });
  test("studies with other pre-training sets are held against each other where they share boundaries", () => {
    const near = made([NONE, tl("layer3", 0.97, 0.3, 2000)], { name: "near", pretraining: "faces" });
    const found = answersTo(pretrainingDistance, study, near);
    const [differs, open] = ["holds here", "not shown here"];
    expect(found.map(({ question, verdict }) => [question.about, verdict])).toEqual([
      ["resnet18: undefended, other people in the same style, natural accuracy", open],
      ["resnet18, kedmi: undefended, other people in the same style, attack accuracy", open],
      ["resnet18: tl-dmi layer3, other people in the same style, natural accuracy", differs],
      ["resnet18, kedmi: tl-dmi layer3, other people in the same style, attack accuracy", open],
      ["resnet18: tl-dmi layer3 less undefended, other people in the same style, natural accuracy", differs],
      ["resnet18, kedmi: tl-dmi layer3 less undefended, other people in the same style, attack accuracy", open],
    ]);
    expect(found.map(({ why }) => why)).toContain("natural accuracy differs");
    expect(found[3]!.figures).toMatch(
      /^attack accuracy \S+ \[.+\] points; resnet18 .+; face matcher 2\.1 .+; what all judges see /,
    );
    expect(found[2]!.figures).not.toContain("judges see");
    expect(found[0]!.figures).toContain("not every record says which images and judge it rests on");
    const other = made([NONE, tl("layer1", 0.97, 0.3, 2000)], { name: "near", pretraining: "faces" });
    expect(answersTo(pretrainingDistance, study, other)).toEqual([]);
  });
  test("and where they attack the same people of the same images before the same judge", () => {
    const basis = { train: "a", test: "b", evaluationModel: "c" };
    const on = (more: Partial<CellResult>, pretraining: string) =>
      made(
        [NONE, tl("layer3", 0.97, 0.3, 2000)].map((row) => ({ ...row, more })),
        { pretraining },
      );
    const against = (more: Partial<CellResult>) =>
      answersTo(pretrainingDistance, on({ basis }, "no-faces"), on({ basis, ...more }, "faces"));
    expect(against({})[0]!.figures).not.toContain("not every record");
    const faults = [{ basis: { ...basis, train: "x" } }, { identities: evenPeople(0.3, 0.9, "mid").slice(1) }].map(
      (more) => against(more).map(({ verdict, why }) => `${verdict}: ${why}`),
    );
    expect(faults[0]).toEqual(Array(6).fill("not testable here: other data: the private training images differ"));
    expect(faults[1]).toEqual(Array(6).fill("not testable here: other identities were attacked"));
    const near = on({ basis }, "faces");
    const fewer = { ...near, cells: near.cells.filter(({ seed }) => seed < 3) };
    expect(verdicts(pretrainingDistance, on({ basis }, "no-faces"), fewer)).toEqual(Array(6).fill("not testable here"));
  });
});

describe("the page", () => {
  const study = made([
    NONE,
    tl("layer2", 0.93, 0.4, 3000),
    tl("layer3", 0.8, 0.2, 2000),
    { ...tl("layer4", 0.7, 0.1, 1000), missing: true },
  ]);
  const page = paperPage([study], claims, beyondReach).replaceAll("\u00a0", " ");

  test("counts verdicts, shows figures with intervals, links to the records of each test, and says what waits", () => {
    expect(page).toContain("[11](records/made) of 12");
    expect(page).toContain("holds here: 1, does not hold here: 1, not measured yet: 1 | 0.05 |");
    expect(page).toMatch(/\| 1 \| studies\/made\.yaml \| resnet18, kedmi: tl-dmi layer2 \| \*\*holds here\*\* \|/);
    expect(page).toContain("attack 40.0 % [37.0, 43.0] against 70.0 % [67.0, 73.0], −30.0 [");
    expect(page).toContain("[none-kedmi-seed1](records/made/none-kedmi-seed1.json)");
    expect(page).toContain("Not measured yet: studies/made.yaml (tests: 1, records: 5 of 6).");
    expect(page).toContain("no study asks it | – |");
  });

  test("says of how many tests luck would make hold, twice as many where either sign is claimed", () => {
    const open = { verdict: "not shown here", why: "the interval holds zero", figures: "" } as const;
    const question: Question = { studies: [], about: "", needs: [], decide: () => open };
    const claim: Claim = {
      title: "one",
      said: "",
      test: "",
      questions: () => Array.from({ length: 20 }, () => question),
    };
    const rows = paperPage([], [claim, { ...claim, title: "both", eitherWay: true }], []);
    expect(rows).toContain("| one | not shown here: 20 | 0.50 |");
    expect(rows).toContain("| both | not shown here: 20 | 1.00 |");
  });

  test("names what cannot be tested, and has no number that is none", () => {
    for (const { title } of beyondReach) expect(page).toContain(`| ${title} | not testable here | – |`);
    expect(page).toContain(
      "drawn people show how defenses compare on these images, never those numbers ([rankings.md]",
    );
    expect(page).not.toMatch(/NaN|undefined/);
    expect(paperPage([], claims, beyondReach)).not.toMatch(/NaN|undefined/);
  });
});
