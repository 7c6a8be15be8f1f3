import { expect, test } from "vitest";
import { cell, rate } from "../../../test/support/study-result.ts";
import { conditionsOf } from "../conditions.ts";
import { toMarkup } from "../escape.ts";
import { tradeOffSection } from "./trade-off.ts";

const page = (defenses: readonly string[]) => {
  const cells = ["gmi", "kedmi"].flatMap((attack) =>
    defenses.map((defense, i) =>
      cell({ defense, attack, boundary: null, naturalAccuracy: rate(0.94 - 0.01 * i, 0.02) }),
    ),
  );
  return toMarkup(tradeOffSection(conditionsOf(cells)));
};
const figures = (markup: string) => markup.split("<figure>").length - 1;

test("as many defenses as there are colours share a plot and a legend", () => {
  const markup = page(["none", ..."abcdefg"]);
  expect(figures(markup)).toBe(1);
  expect(markup).toContain('<div class="aside"><ul class="legend">');
});

test("with more, each attack has a plot of its own, whose points have their names beside them", () => {
  const markup = page(["none", ..."abcdefgh"]);
  expect(figures(markup)).toBe(2);
  const [gmi, kedmi] = markup.split("<figure>").slice(1);
  for (const plot of [gmi!, kedmi!])
    for (const name of ["no defense", ..."abcdefgh"]) expect(plot).toContain(`>${name}</text>`);
  expect(markup).not.toContain('class="aside"');
});
