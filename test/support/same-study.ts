import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { verifyStore } from "../../src/study/assets.ts";
import type { StudyResult } from "../../src/study/result.ts";
import { expectPublishedResults } from "./published-results.ts";

const resultOf = async (studyDir: string) =>
  JSON.parse(await readFile(join(studyDir, "study.json"), "utf8")) as StudyResult;

/** Everything that a study computed: all but paths, machine and times. */
const computed = ({ cells, failed, curves, notes, status }: StudyResult) => ({
  cells: cells.map(({ cost: _, ...cell }) => cell),
  ...{ failed, curves, notes, status },
});

/** What reconstructions were rendered from, bit by bit. */
const reconstructions = (studyDir: string, { cells }: StudyResult) =>
  Promise.all(
    cells.map(({ run, attack }) =>
      readFile(join(studyDir, run, "artifacts", attack === "mi-face" ? "images.npy" : "latents.npy")),
    ),
  );

/** Fails unless two folders hold one study's same result, cell by cell, to the last bit of what it computed. */
export async function expectSameStudy(studyDir: string, wantedDir: string, cells: number): Promise<void> {
  const [found, wanted] = [await resultOf(studyDir), await resultOf(wantedDir)];
  expect(found.cells).toHaveLength(cells);
  await expectPublishedResults(studyDir, found);
  expect(computed(found)).toEqual(computed(wanted));
  expect(await reconstructions(studyDir, found)).toEqual(await reconstructions(wantedDir, wanted));
}

/** Fails unless a store of steps has every step of another one, each whole, and nothing half-done or locked. @returns how many. */
export async function expectCleanStore(runsDir: string, wantedRuns: string): Promise<number> {
  const steps = join(runsDir, "steps");
  const found = await verifyStore(steps);
  expect(found.damaged).toEqual([]);
  const names = await readdir(steps);
  expect(names).toHaveLength(found.steps);
  expect(names.sort()).toEqual((await readdir(join(wantedRuns, "steps"))).sort());
  return found.steps;
}
