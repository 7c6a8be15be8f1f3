import { describe, expect, test } from "vitest";
import { answersTo, type Made, made, NONE, tl, verdicts } from "../../../../test/support/made-evidence.ts";
import { evenPeople, rate } from "../../../../test/support/study-result.ts";
import { betterThanRivals } from "./equal-utility.ts";
import { lessAccess, lowerLeak } from "./lower-leak.ts";
import { secondJudge } from "./second-judge.ts";

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
