import { expect, test } from "vitest";
import { cell, judgesOf, rate } from "../../../test/support/study-result.ts";
import { conditionsOf } from "../conditions.ts";
import { toMarkup } from "../escape.ts";
import { meanJudges } from "../judges.ts";
import { judgesSection, judgesSentence } from "./judges.ts";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

test("says in words what judges agree on, and what may be a false positive", () => {
  const [condition] = conditionsOf([cell({ judges: judgesOf(0.5) })]);
  expect(plain(judgesSentence(condition!, condition!.judges!))).toBe(
    "no defense, kedmi: the share of recognised reconstructions is vgg16_bn 50 %, resnet18 40 %, face matcher 2.1 25 %; " +
      "all judges together see the identity in 23 % [18, 28]. " +
      "40 % [35, 45] of what vgg16_bn recognises is not recognised by every other judge: these may be false positives.",
  );
});

test("two judges are named; a judge that recognises nobody has no false positives", () => {
  const { unconfirmed: _, single: __, ...judged } = judgesOf(0);
  const two = { ...judged, judges: judged.judges.slice(0, 2) };
  const [condition] = conditionsOf([cell({ judges: two })]);
  expect(judgesSentence(condition!, two)).toMatch(/vgg16_bn recognises nobody\.$/);
  expect(judgesSentence(condition!, { ...two, unconfirmed: rate(0.1) })).toContain("not recognised by resnet18:");
  expect(toMarkup(judgesSection([condition!]))).not.toMatch(/NaN|undefined/);
});

test("the table has every judge, and what its word is worth", () => {
  const conditions = conditionsOf([
    cell({ judges: judgesOf(0.71) }),
    cell({ defense: "tl-dmi", judges: judgesOf(0.41) }),
    cell({ defense: "mid" }),
  ]);
  const markup = plain(toMarkup(judgesSection(conditions)));
  expect(markup).toContain("vgg16_bn, the first judge");
  expect(markup).toContain("recognises 96.1 % [95.1, 97.1] of real private test images");
  expect(markup).toContain("says yes to 94 % [91, 97] of real images beside their own identity, no to 96 % [93, 99]");
  // Three of each of the two conditions.
  expect(markup).toContain(`<td class="num">6</td>`);
  expect(markup).not.toContain("mid");
});

test("seeds are averaged where they have the same judges", () => {
  const { single: _, ...rest } = judgesOf(0.3);
  const mean = meanJudges([judgesOf(0.5), rest]);
  expect(mean?.judges.map(({ attackAccuracy }) => attackAccuracy.value)).toEqual([0.4, expect.closeTo(0.32), 0.2]);
  expect(mean?.judges[2]?.refused).toBe(6);
  expect(mean?.single?.value).toBe(0.3);
  expect(meanJudges([judgesOf(0.5), undefined])).toBeUndefined();
  expect(meanJudges([judgesOf(0.5), { ...rest, judges: rest.judges.slice(1) }])).toBeUndefined();
  expect(meanJudges([undefined])).toBeUndefined();
});
