import { describe, expect, test } from "vitest";
import { cell, judgesOf, metricsOf, rate } from "../../test/support/study-result.ts";
import { UserError } from "../engine/errors.ts";
import { ATTACK_WORKS, checkSelection, type GateResult, GateSettings, judgeGate } from "./gate.ts";
import { parseYamlConfig } from "./yaml-config.ts";

const exactly = (value: number, low: number, high: number) => ({ value, n: 100, low, high });
const none = cell();
/** The attack gets 31 % [26, 36] out of it, above its floors of 4 % and 10 %. */
const defended = cell({
  defense: "tl-dmi",
  attackAccuracy: exactly(0.31, 0.26, 0.36),
  floors: { randomPrior: rate(0.04, 0.02), initialSelection: rate(0.1, 0.05) },
});
const stopped = cell({
  defense: "tl-dmi",
  attackAccuracy: exactly(0.05, 0.02, 0.09),
  floors: { randomPrior: rate(0.04, 0.02), initialSelection: rate(0.06, 0.03) },
});
const failed = { defense: "mid", attack: "kedmi", seed: 1, message: "the loss is NaN" };
const settings = (given: Partial<GateSettings>) => GateSettings.parse(given);
const outcomes = ({ checks }: GateResult) => checks.map(({ demand, outcome }) => `${demand}: ${outcome}`);
const judge = (given: Partial<GateSettings>, ...cells: (typeof none)[]) =>
  judgeGate(settings(given), { cells, failed: [] });

describe("a bound", () => {
  // Each limit lies at, beside or between the ends of 31 % [26, 36].
  test.each([
    [0.36, "holds", true],
    [0.35, "not shown", false],
    [0.31, "not shown", false],
    [0.3, "broken", false],
  ])("from above of %d on 0.31 [0.26, 0.36] is judged at the upper end: %s", (limit, outcome, passed) => {
    const [check] = judge({ max: { "attack.top1": limit } }, defended).checks;
    expect(check).toMatchObject({
      demand: `attack.top1 ≤ ${limit}`,
      outcome,
      passed,
      measured: defended.attackAccuracy,
    });
  });

  test.each([
    [0.26, "holds", true],
    [0.27, "not shown", false],
    [0.31, "not shown", false],
    [0.32, "broken", false],
  ])("from below of %d is judged at the lower end: %s", (limit, outcome, passed) => {
    expect(judge({ min: { "attack.top1": limit } }, defended).checks[0]).toMatchObject({ outcome, passed });
  });

  test("on what was not measured breaks, and says what was", () => {
    const result = judge({ max: { "metric.fid": 40 } }, defended);
    expect(result.passed).toBe(false);
    expect(result.checks[0]).toMatchObject({
      outcome: "not measured",
      message: expect.stringMatching(/^metric\.fid was not measured; this result has natural, attack\.top1, /),
    });
  });

  test("on a number that is not finite breaks", () => {
    const broken = { value: Number.NaN, n: 0, low: Number.NaN, high: Number.NaN };
    // JSON has null in its place.
    for (const knnDistance of [broken, JSON.parse(JSON.stringify(broken))]) {
      const result = judge({ min: { "attack.knn": 1 } }, cell({ knnDistance }));
      expect(result.checks[0]).toMatchObject({ outcome: "not measured", passed: false });
    }
  });

  test("on a cell that failed breaks", () => {
    const { passed, checks } = judgeGate(settings({ min: { natural: 0.5 } }), { cells: [none], failed: [failed] });
    expect(passed).toBe(false);
    expect(checks.at(-1)).toMatchObject({
      defense: "mid",
      outcome: "not measured",
      message: expect.stringContaining("NaN"),
    });
  });

  test("may be on any number of the result", () => {
    const full = cell({ metrics: metricsOf(0.5), judges: judgesOf(0.7), defense: "dp-sgd" });
    const max = {
      "metric.ssim": 1,
      "judge.face-matcher-2.1": 1,
      "judges.unanimous": 1,
      "attribute.head-shape": 1,
      "queries.images": 200_000,
    };
    expect(
      outcomes(judge({ max }, full))
        .slice(0, 5)
        .every((text) => text.endsWith("holds")),
    ).toBe(true);
  });
});

describe("an attack", () => {
  test("that beats its floors is one", () => {
    const { passed, checks } = judge({ max: { "attack.top1": 0.4 } }, defended);
    expect(passed).toBe(true);
    expect(checks.at(-1)).toMatchObject({ demand: ATTACK_WORKS, outcome: "holds" });
  });

  test("that beats them nowhere passes no bound on leakage, unless that is asked for", () => {
    const result = judge({ max: { "attack.top1": 0.3 } }, stopped);
    expect(result.passed).toBe(false);
    expect(outcomes(result)).toEqual(["attack.top1 ≤ 0.3: holds", `${ATTACK_WORKS}: weak attack`]);
    const accepted = judge({ max: { "attack.top1": 0.3 }, allowWeakAttack: true }, stopped);
    expect(accepted.passed).toBe(true);
    expect(accepted.checks.at(-1)).toMatchObject({
      outcome: "weak attack",
      message: expect.stringMatching(/accepted as asked$/),
    });
  });

  test("that one floor alone exceeds is weak", () => {
    const lucky = { ...defended, floors: { randomPrior: rate(0.3, 0.05), initialSelection: rate(0.1, 0.05) } };
    expect(judge({ max: { "attack.top1": 0.4 } }, lucky).passed).toBe(false);
    const selected = { ...defended, floors: { randomPrior: rate(0.04, 0.02), initialSelection: rate(0.3, 0.05) } };
    expect(judge({ max: { "attack.top1": 0.4 } }, selected).passed).toBe(false);
  });

  test("that a defense stops is not weak: it works on the undefended target", () => {
    const run = { cells: [none, stopped], failed: [] };
    const asked = settings({ max: { "attack.top1": 0.3 }, defenses: ["tl-dmi"] });
    const result = judgeGate(asked, run);
    expect(result.passed).toBe(true);
    expect(result.checks.at(-1)!.message).toContain("on the undefended target it does");
    const others = [
      { ...none, seed: 2 },
      { ...none, attack: "gmi" },
      { ...none, model: "vgg16_bn" },
      { ...none, attackAccuracy: none.floors.initialSelection },
    ];
    for (const other of others)
      expect(judgeGate(asked, { cells: [stopped], failed: [] }, [stopped, other]).passed).toBe(false);
  });

  test("is not asked about where a bound does not rest on it", () => {
    expect(outcomes(judge({ min: { natural: 0.5 } }, stopped))).toEqual(["natural ≥ 0.5: holds"]);
  });
});

describe("a selection", () => {
  const cells = [none, defended, cell({ attack: "gmi" })];
  const of = ({ checks }: GateResult) => checks.map(({ defense, attack }) => `${defense} ${attack}`);

  test("leaves out other defenses and attacks", () => {
    const min = { natural: 0.5 };
    expect(of(judge({ min }, ...cells))).toEqual(["none kedmi", "tl-dmi kedmi", "none gmi"]);
    expect(of(judge({ min, defenses: ["none"] }, ...cells))).toEqual(["none kedmi", "none gmi"]);
    expect(of(judge({ min, defenses: ["none"], attacks: ["gmi"] }, ...cells))).toEqual(["none gmi"]);
  });

  test.each([
    [{ defenses: ["tl_dmi"] }, 'gate: no cell has the defense "tl_dmi"; did you mean "tl-dmi"?'],
    [{ attacks: ["brep-mi"] }, 'gate: no cell has the attack "brep-mi"; allowed: kedmi, gmi'],
    [{ defenses: ["tl-dmi"], attacks: ["gmi"] }, "gate: no cell has both"],
  ])("of what is not there is refused: %o", (chosen, message) => {
    const asked = settings({ min: { natural: 0.5 }, ...(chosen as Partial<GateSettings>) });
    const refused = () => checkSelection(asked, cells);
    expect(refused).toThrow(UserError);
    expect(refused).toThrow(message);
  });
});

describe("in a study file", () => {
  test.each([
    [
      "max: { atack.top1: 0.3 }",
      /^g\.yaml:1:\d+ {2}max\.atack\.top1 {2}unknown metric "atack\.top1"; did you mean "attack\.top1"\? \(metrics: natural, .*, judge\.<name>\)$/,
    ],
    ["max: { attack.top1: 30 }", /attack\.top1 is always 0 … 1, so a bound of 30 says nothing; for 30 % write 0\.3$/],
    ["min: { attack.knn: -1 }", /attack\.knn is always ≥ 0/],
    ["defenses: [none]", /demands nothing; expected a bound in max or min/],
    ["max: { attack.top1: high }", /expected a number/],
  ])("`%s` is refused", (text, message) => {
    expect(() => parseYamlConfig(GateSettings, text, "g.yaml")).toThrow(message);
  });

  test("bounds are names and numbers", () => {
    expect(parseYamlConfig(GateSettings, "max: { attack.top1: 0.3 }\nmin: { natural: 0.85 }", "g.yaml")).toEqual({
      max: { "attack.top1": 0.3 },
      min: { natural: 0.85 },
      allowWeakAttack: false,
    });
  });
});

test("an attack of the same kind and another name is no sign that an attack works", () => {
  const named = { ...stopped, attackLabel: "weak" };
  const outcome = (undefended: typeof none) =>
    judge({ max: { "attack.top1": 0.3 }, defenses: ["tl-dmi"], attacks: ["weak"] }, undefended, named).checks[1]
      ?.outcome;
  expect(outcome({ ...none, attackLabel: "weak" })).toBe("holds");
  expect(outcome(none)).toBe("weak attack");
});
