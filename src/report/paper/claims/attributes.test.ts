import { expect, test } from "vitest";
import { answersTo, type Made, made, NONE, tl } from "../../../../test/support/made-evidence.ts";
import { cell, rate } from "../../../../test/support/study-result.ts";
import { attributes } from "./attributes.ts";

test("numbers and categories are asked apart", () => {
  const study = made([NONE, tl("layer3", 0.93, 0.3, 2000)]);
  expect(answersTo(attributes, study).map(({ verdict, question }) => [question.about, verdict])).toEqual([
    ["resnet18, kedmi: tl-dmi layer3, numbers", "holds here"],
    ["resnet18, kedmi: tl-dmi layer3, categories", "holds here"],
  ]);
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
