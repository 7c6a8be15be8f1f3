import { describe, expect, test } from "vitest";
import { made, NONE, tl } from "../../../test/support/made-evidence.ts";
import type { Claim, Question } from "./claim.ts";
import { beyondReach, claims, paperPage } from "./index.ts";

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
    expect(page).toContain("holds here: 1, does not hold here: 1, not measured yet: 1 | 0.05 | – |");
    expect(page).toMatch(/\| 1 \| studies\/made\.yaml \| resnet18, kedmi: tl-dmi layer2 \| \*\*holds here\*\* \|/);
    expect(page).toContain("attack 40.0 % [37.0, 43.0] against 70.0 % [67.0, 73.0], −30.0 [");
    expect(page).toContain("[none-kedmi-seed1](records/made/none-kedmi-seed1.json)");
    expect(page).toContain("Not measured yet: studies/made.yaml (tests: 1, records: 5 of 6).");
    expect(page).toContain("**not testable here** | no study asks it | – | – |");
  });

  test("says of how many tests luck would make hold, twice as many where either sign is claimed", () => {
    const open = { verdict: "not shown here", why: "the interval holds zero", figures: "" } as const;
    const needs = [1, 2, 3].map((seed) => ({ name: `cell-seed${seed}`, file: `cell-seed${seed}.json`, seed }));
    const question: Question = { studies: [], about: "", needs, decide: () => open };
    const claim: Claim = {
      title: "one",
      said: "",
      test: "",
      questions: () => Array.from({ length: 20 }, () => question),
    };
    const rows = paperPage([], [claim, { ...claim, title: "both", eitherWay: true }], []);
    expect(rows).toContain("| one | **not shown here** | not shown here: 20 | 0.50 | – |");
    expect(rows).toContain("| both | **not shown here** | not shown here: 20 | 1.00 | – |");
  });

  test("sets tests of one seed apart", () => {
    const holds = { verdict: "holds here", why: "", figures: "" } as const;
    const needs = [{ name: "cell-seed1", file: "cell-seed1.json", seed: 1 }];
    const claim: Claim = {
      ...{ title: "one", said: "", test: "" },
      questions: () => [{ studies: [], about: "", needs, decide: () => holds }],
    };
    expect(paperPage([], [claim], [])).toContain(
      "| one | **not testable here** | no study asks it | – | holds here: 1 |",
    );
  });

  test("names what cannot be tested, and has no number that is none", () => {
    for (const { title } of beyondReach) expect(page).toContain(`| ${title} | **not testable here** | – | – | – |`);
    expect(page).toContain(
      "drawn people show how defenses compare on these images, never those numbers ([rankings.md]",
    );
    expect(page).not.toMatch(/NaN|undefined/);
    expect(paperPage([], claims, beyondReach)).not.toMatch(/NaN|undefined/);
  });
});
