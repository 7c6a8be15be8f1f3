import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../engine/errors.ts";
import type { StudyResult } from "../study/result.ts";

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** The result of a study, from its folder. @throws UserError where `study.json` is missing, no JSON, or of another version. */
export async function readStudyResult(studyDir: string): Promise<StudyResult> {
  const path = join(studyDir, "study.json");
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new UserError(`${path}: cannot be read; the study has no result yet (${reasonOf(error)})`);
  });
  let study: StudyResult;
  try {
    study = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${path}: not JSON (${reasonOf(error)})`);
  }
  const version: unknown = typeof study === "object" && study !== null ? study.schemaVersion : undefined;
  if (version !== 1) throw new UserError(`${path}: expected a study result of schemaVersion 1, got ${String(version)}`);
  return study;
}
