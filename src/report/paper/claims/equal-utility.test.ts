import { describe, expect, test } from "vitest";
import { answersTo, type Made, made, NONE, tl, verdicts } from "../../../../test/support/made-evidence.ts";
import { betterThanRivals, withBido } from "./equal-utility.ts";

describe("at equal natural accuracy", () => {
  const good = [tl("layer2", 0.92, 0.62, 3000), tl("layer3", 0.88, 0.5, 2000)];
  const rival = (attack: number): Made[] => [{ defense: "mid", natural: 0.88, attack }];

  test.each([
    ["holds here", 0.68],
    ["does not hold here", 0.1],
  ] as const)("%s against a rival that leaks %d", (verdict, attack) => {
    expect(verdicts(betterThanRivals, made([NONE, ...good, ...rival(attack)]))).toEqual([verdict]);
  });

  test("without a common natural accuracy nothing is tested, and it is said where each lies", () => {
    const study = made([NONE, tl("layer2", 0.96, 0.3, 2000), tl("layer3", 0.95, 0.3, 2000), ...rival(0.4)]);
    const [found] = answersTo(betterThanRivals, study);
    expect(found!.verdict).toBe("not testable here");
    expect(found!.figures.replaceAll(/\s/g, " ")).toBe(
      "tl-dmi: natural accuracy 95.0 % to 96.0 %, attack accuracy 30.0 %; mid: natural accuracy 88.0 %, attack accuracy 40.0 %",
    );
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
