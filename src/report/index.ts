import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../engine/atomic-file.ts";
import { UserError } from "../engine/errors.ts";
import type { StudyResult } from "../study/result.ts";
import { comparisonsOf, conditionsOf } from "./conditions.ts";
import { type ContactSheet, readContactSheet } from "./contact-sheet.ts";
import { renderReport } from "./html.ts";

export { writeFisherChart } from "./fisher.ts";
export { type Finding, type Summary, type SummaryParagraph, summarize, type Verdict } from "./summary.ts";

/** What `writeReport` may put into the file. */
export interface ReportOptions {
  /** Whether private images are embedded beside their reconstructions. The file must then not leave the machine. */
  readonly includePrivate: boolean;
}

async function readStudy(path: string): Promise<StudyResult> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new UserError(`${path}: cannot be read, so there is no report to make (${reasonOf(error)})`);
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

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/**
 * Makes the report of a study: one HTML file that needs nothing outside itself, `report/index.html` in the study's folder.
 * Reads `study.json` there, and the reconstructions from the cells' run folders (relative to the study's folder unless
 * absolute). Images that are missing are said to be missing.
 *
 * @returns the path of the file.
 * @throws UserError where `study.json` is missing, no JSON, or of another version.
 */
export async function writeReport(studyDir: string, options: ReportOptions): Promise<string> {
  const study = await readStudy(join(studyDir, "study.json"));
  const sheets: ContactSheet[] = [];
  for (const comparison of comparisonsOf(conditionsOf(study.cells))) {
    const sheet = await readContactSheet(comparison, studyDir, options);
    if (sheet !== undefined) sheets.push(sheet);
  }
  const path = join(studyDir, "report", "index.html");
  await writeFileAtomic(path, renderReport({ study, sheets, includePrivate: options.includePrivate }));
  return path;
}
