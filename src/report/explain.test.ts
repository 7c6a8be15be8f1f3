import { describe, expect, test } from "vitest";
import { cell, judgesOf, rate, study } from "../../test/support/study-result.ts";
import type { CellResult } from "../study/result.ts";
import { explainRun } from "./explain.ts";
import type { FinishedRun } from "./read-run.ts";

const none = cell();
const defended = cell({ defense: "tl-dmi", attackAccuracy: rate(0.31) });

function told(cells: readonly CellResult[], overrides: Partial<FinishedRun> = {}) {
  const whole = study(cells, { notes: ["The people are drawn."] });
  const run = {
    kind: "study",
    dir: "d",
    name: "s",
    cells,
    failed: [],
    around: cells,
    study: whole,
    ...overrides,
  } as const;
  const parts = explainRun({ ...run, config: { data: { kind: "faces" } } });
  return Object.fromEntries(parts.map(({ title, sentences }) => [title, sentences.join(" ").replaceAll(/\s/g, " ")]));
}

test("says what was attacked, how, and what came of it", () => {
  const parts = told([none, defended]);
  expect(Object.keys(parts)).toEqual([
    "What was attacked",
    "How",
    "What came out",
    "What it means",
    "What it does not mean",
  ]);
  expect(parts["What was attacked"]).toContain("resnet18 with no defense: it classifies 94.0 % [92.0, 96.0]");
  expect(parts["What was attacked"]).toContain("Frozen up to layer2: private images trained 35 % of its parameters.");
  expect(parts.How).toMatch(/^kedmi: .*It has the target's weights and its gradients\. It searches in this prior: /);
  expect(parts.How).toContain("It makes 25 images of each identity, with 123 456 images sent through the target.");
  expect(parts["What came out"]).toContain(
    "With tl-dmi (frozen up to layer2; 35 % of parameters see private data) it is 31 %",
  );
  expect(parts["What it means"]).toContain("With tl-dmi the attack recovers less, by more than chance explains.");
  expect(parts["What it means"]).toContain("kedmi rises above what the prior gives");
  expect(parts["What it does not mean"]).toMatch(
    /One seed was run.*Other attacks may find more.*No training here.*drawn\.$/,
  );
});

test("names no prior of an attack whose settings choose it", () => {
  expect(told([cell({ attack: "ppdg-mi" })]).How).toContain(
    "It searches in the prior of the attack that it is built on.",
  );
});

test("draws nothing from an attack that found nothing", () => {
  const { "What it means": meaning } = told([
    cell({ attackAccuracy: rate(0.1) }),
    cell({ defense: "tl-dmi", attackAccuracy: rate(0.01) }),
  ]);
  expect(meaning).toContain("kedmi is not shown to rise above its floors on any target here");
  expect(meaning).not.toMatch(/recovers less|gave something away/);
});

test("does not call an overlap a protection", () => {
  expect(told([none, cell({ defense: "tl-dmi", attackAccuracy: rate(0.69) })])["What it means"]).toContain(
    "That tl-dmi protects is not shown here.",
  );
});

test("names a guarantee where there is one, and says what judges say", () => {
  const privacy = { epsilon: 3, delta: 1e-5, steps: 10, sampleRate: 0.1, noiseMultiplier: 1, clip: 1, order: 4 };
  const both = told([cell({ privacy, judges: judgesOf(0.7) })]);
  expect(both["What it does not mean"]).not.toContain("No training here gives a guarantee");
  expect(both["What came out"]).toContain("may be false positives");
});

describe("one cell", () => {
  test("is told beside the undefended one of its study", () => {
    const { "What came out": outcome } = told([defended], {
      kind: "cell",
      around: [defended, none, cell({ attack: "gmi" })],
    });
    expect(outcome).toMatch(/^Without a defense, 71 %.*With tl-dmi .* points \[.*\] less/);
    expect(outcome).not.toContain("gmi");
  });

  test("alone is not compared with anything", () => {
    const { "What came out": outcome } = told([defended], { kind: "cell" });
    expect(outcome).toContain("No undefended model was attacked");
  });
});

test("without a finished cell there is nothing to explain", () => {
  expect(told([])["What was attacked"]).toBe("No cell of this run has finished, so there is nothing to explain.");
});
