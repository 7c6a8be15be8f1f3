import { describe, expect, test } from "vitest";
import { answersTo, type Made, made, NONE, tl, verdicts } from "../../../../test/support/made-evidence.ts";
import { cell } from "../../../../test/support/study-result.ts";
import { fewerParameters } from "./fewer-parameters.ts";

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
