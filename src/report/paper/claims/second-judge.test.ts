import { describe, expect, test } from "vitest";
import { answersTo, type Made, made, NONE, tl, verdicts } from "../../../../test/support/made-evidence.ts";
import { evenPeople, judgesOf, rate } from "../../../../test/support/study-result.ts";
import { secondJudge } from "./second-judge.ts";

const study = made([NONE, tl("layer3", 0.93, 0.3, 2000)]);

test("every judge is asked", () => {
  expect(verdicts(secondJudge, study)).toEqual(["holds here"]);
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
