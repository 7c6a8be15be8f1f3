import { expect, test } from "vitest";
import { cell, rate, study } from "../../../test/support/study-result.ts";
import { type GateSettings, judgeGate } from "../../study/gate.ts";
import { toMarkup } from "../escape.ts";
import { renderReport } from "../html.ts";
import { gateSection } from "./gate.ts";

const cells = [
  cell({ naturalAccuracy: rate(0.93, 0.02), attackAccuracy: rate(0.8) }),
  cell({ defense: "tl-dmi", naturalAccuracy: rate(0.9, 0.02), attackAccuracy: rate(0.24) }),
  cell({ defense: "mid", naturalAccuracy: rate(0.84, 0.02), attackAccuracy: rate(0.5) }),
];
const settings = (given: Partial<GateSettings>): GateSettings => ({
  max: { "attack.top1": 0.3 },
  min: { natural: 0.85 },
  allowWeakAttack: false,
  ...given,
});
const failed = [{ defense: "ssf", attack: "kedmi", seed: 1, message: "loss is <NaN>" }];

/** Text of each cell of each row of the table, without markup. */
const rowsOf = (markup: string) =>
  [...markup.matchAll(/<tr class="">(.*?)<\/tr>/gs)].map(([, row]) =>
    [...row!.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, text]) =>
      text!
        .replaceAll(/<[^>]+>/g, " ")
        .replaceAll(/\s+/g, " ")
        .trim(),
    ),
  );

test("each bound stands with what was measured, its interval and the verdict; broken ones first", () => {
  const markup = toMarkup(gateSection(judgeGate(settings({ defenses: ["tl-dmi", "mid"] }), { cells, failed })));
  const rows = rowsOf(markup).map((row) => row.slice(1, 4));
  expect(rows).toEqual([
    ["attack.top1 ≤ 0.3", "0.500 [0.450, 0.550]", "broken"],
    ["natural ≥ 0.85", "0.840 [0.820, 0.860]", "broken"],
    ["attack.top1 ≤ 0.3", "0.240 [0.190, 0.290]", "passed"],
    ["natural ≥ 0.85", "0.900 [0.880, 0.920]", "passed"],
    ["the attack beats its floors", "–", "passed"],
    ["the attack beats its floors", "–", "passed"],
  ]);
  expect(markup).toContain("2 of the 6 checks of the study&#39;s gate are broken");
  expect(markup).toContain('<span class="chip bad">gate failed</span>');
});

test("an interval that reaches over the bound, a failed cell and a weak attack are broken, each in its words", () => {
  const weak = { randomPrior: rate(0.24), initialSelection: rate(0.24) };
  const near = [cell({ attackAccuracy: rate(0.28), floors: weak })];
  const outcomes = rowsOf(toMarkup(gateSection(judgeGate(settings({ min: {} }), { cells: near, failed }))));
  expect(outcomes.map((row) => [row[2], row[3]])).toEqual([
    ["0.280 [0.230, 0.330]", "broken not shown to hold"],
    ["–", "broken weak attack"],
    ["–", "broken not measured"],
  ]);
  expect(outcomes[2]![4]).toContain("loss is &lt;NaN&gt;");
  const accepted = judgeGate(settings({ max: { "attack.top1": 0.4 }, min: {}, allowWeakAttack: true }), {
    cells: near,
    failed: [],
  });
  expect(toMarkup(gateSection(accepted))).toContain("accepted</span><small>weak attack</small>");
});

test("the verdict is the report's first section, and there is none without a gate", () => {
  const page = (gate?: ReturnType<typeof judgeGate>) =>
    renderReport({ study: study(cells, gate && { gate }), sheets: [], includePrivate: false });
  const verdict = judgeGate(settings({ defenses: ["tl-dmi"] }), { cells, failed: [] });
  expect(/<section id="([^"]*)"/.exec(page(verdict))![1]).toBe("gate");
  expect(page(verdict)).toContain("All 3 checks of the study&#39;s gate passed.");
  expect(page()).not.toContain('id="gate"');
});
