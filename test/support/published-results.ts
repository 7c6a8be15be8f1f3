import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { z } from "zod";
import type { StudyResult } from "../../src/study/result.ts";
import { RESULT_FILE } from "../../src/study/run-folder.ts";
import { once } from "./once.ts";

const SCHEMA = fileURLToPath(new URL("../../schema/result.schema.json", import.meta.url));

/** The schema as readers of the file have it, not the code that it was made from. */
const published = once(async () =>
  z.fromJSONSchema(JSON.parse(await readFile(SCHEMA, "utf8")) as Parameters<typeof z.fromJSONSchema>[0]),
);

/** Fails unless a value, as JSON would hold it, keeps to the published schema of a cell's `result.json`. */
export async function expectPublished(result: unknown, where: string): Promise<void> {
  const { error } = (await published()).safeParse(JSON.parse(JSON.stringify(result)));
  expect(error?.issues, where).toBe(undefined);
}

/** Fails unless the `result.json` of each cell of a study's result lies in its run folder and keeps to the published schema. */
export async function expectPublishedResults(studyDir: string, { cells }: Pick<StudyResult, "cells">): Promise<void> {
  expect(cells.length, studyDir).toBeGreaterThan(0);
  for (const { run } of cells) {
    const file = join(studyDir, run, RESULT_FILE);
    await expectPublished(JSON.parse(await readFile(file, "utf8")), file);
  }
}
