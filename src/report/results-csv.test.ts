import { expect, test } from "vitest";
import { cell, rate, study } from "../../test/support/study-result.ts";
import { resultsCsv } from "./results-csv.ts";

test("a study's table has a row a cell, and each number with its interval", () => {
  const one = cell({ defense: 'tl-dmi, "late"', attackAccuracy: rate(0.25, 0.05, 40), seed: 3, run: "cells/a" });
  const two = cell({ boundary: null, run: "cells/b" });
  const [head, first, ...rest] = resultsCsv(study([one, two])).split("\n");
  const names = head!.split(",");
  expect(names.slice(0, 6)).toEqual(["defense", "attack", "model", "seed", "boundary", "run"]);
  expect(names.slice(6, 8)).toEqual(["defense.label", "attack.label"]);
  expect(first).toMatch(/^"tl-dmi, ""late""",/);
  // The quoted field holds a comma of its own.
  const values = first!.replaceAll('"tl-dmi, ""late"""', "defense").split(",");
  expect(values).toHaveLength(names.length);
  const at = names.indexOf("attack.top1");
  expect([names.slice(at, at + 4), values.slice(at, at + 4)]).toEqual([
    ["attack.top1", "attack.top1.low", "attack.top1.high", "attack.top1.n"],
    ["0.25", "0.2", "0.3", "40"],
  ]);
  expect(rest).toHaveLength(2);
  expect(rest[0]!.split(",")[4]).toBe("");
});

test("names of entries stand beside their kinds", () => {
  const named = cell({ attack: "gmi", attackLabel: "lomma", defense: "tl-dmi", defenseLabel: "late" });
  const [head, row] = resultsCsv(study([named]))
    .split("\n")
    .map((line) => line.split(","));
  const at = (name: string) => row![head!.indexOf(name)];
  expect(["attack", "attack.label", "defense", "defense.label"].map(at)).toEqual(["gmi", "lomma", "tl-dmi", "late"]);
});

test("a study without finished cells has a head alone", () => {
  expect(resultsCsv({ cells: [] })).toBe("defense,attack,model,seed,boundary,run,defense.label,attack.label\n");
});
