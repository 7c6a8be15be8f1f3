import { expect, test } from "vitest";
import { broughtNotes } from "./notes.ts";
import type { CellResult } from "./result.ts";

const measured = (value: number) => ({ value, low: value - 0.05, high: value + 0.05, n: 100 });
const cell = (defense: string, natural: number, judge: number) =>
  ({
    defense,
    attack: "gmi",
    naturalAccuracy: measured(natural),
    evaluationModel: { kind: "resnet18", naturalAccuracy: measured(judge) },
  }) as CellResult;

/** Folders 0 … 11 as they stand: 0, 1, 10, 11, 2, … A classifier that counts is right about two of the twelve. */
const classes = Array.from({ length: 12 }, (_, i) => String(i)).sort();

test("a brought classifier that knows few private people is told of once, with the order of the classes", () => {
  const brought = { defenses: ["none"], judge: true, classes };
  const [target, judge, ...others] = broughtNotes(
    [cell("none", 2 / 12, 0.2), cell("none", 2 / 12, 0.2), cell("dp-sgd", 0.1, 0.2)],
    brought,
  );
  expect(target).toContain("The target (none) came from a file and is right about 16.7 % [11.7 %, 21.7 %]");
  expect(target).toContain("guessing one of 12 classes gives 8.3 %");
  expect(target).toContain("0 = 0, 1 = 1, 2 = 10, 3 = 11, 4 = 2, …");
  expect(judge).toMatch(/^The evaluation model came from a file/);
  expect(others).toEqual([]);
});

test("one that knows them needs no word, nor does one that the study trained", () => {
  expect(broughtNotes([cell("none", 0.9, 0.1)], { defenses: ["none"], judge: false, classes })).toEqual([]);
  expect(broughtNotes([cell("none", 0.1, 0.1)], { defenses: [], judge: false, classes })).toEqual([]);
});
