import { expect, test } from "vitest";
import { answersTo, made, NONE, tl, verdicts } from "../../../../test/support/made-evidence.ts";
import { evenPeople } from "../../../../test/support/study-result.ts";
import type { CellResult } from "../../../study/result.ts";
import { pretrainingDistance } from "./pretraining-distance.ts";

const study = made([NONE, tl("layer3", 0.93, 0.3, 2000)]);

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
