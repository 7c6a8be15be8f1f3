import { join } from "node:path";
import { writeFileAtomic } from "../engine/atomic-file.ts";
import { comparisonsOf, conditionsOf } from "./conditions.ts";
import { type ContactSheet, readContactSheet } from "./contact-sheet.ts";
import { renderReport } from "./html.ts";
import { RESULTS_CSV, resultsCsv } from "./results-csv.ts";
import { readStudyResult } from "./study-result.ts";

export { writeFisherChart } from "./fisher.ts";
export { writeFrontierChart } from "./frontier.ts";
export { type Finding, type Summary, type SummaryParagraph, summarize, type Verdict } from "./summary.ts";

/** What `writeReport` may put into the file. */
export interface ReportOptions {
  /** Whether private images are embedded beside their reconstructions. The file must then not leave the machine. */
  readonly includePrivate: boolean;
}

/**
 * Makes the report of a study: one HTML file that needs nothing outside itself, `report/index.html` in the study's folder.
 * Beside it, `results.csv` holds its table.
 * Reads `study.json` there, and the reconstructions from the cells' run folders (relative to the study's folder unless
 * absolute). Images that are missing are said to be missing.
 *
 * @returns the path of the file.
 * @throws UserError where `study.json` is missing, no JSON, or of another version.
 */
export async function writeReport(studyDir: string, options: ReportOptions): Promise<string> {
  const study = await readStudyResult(studyDir);
  const sheets: ContactSheet[] = [];
  for (const comparison of comparisonsOf(conditionsOf(study.cells))) {
    const sheet = await readContactSheet(comparison, studyDir, options);
    if (sheet !== undefined) sheets.push(sheet);
  }
  await writeFileAtomic(join(studyDir, "report", RESULTS_CSV), resultsCsv(study));
  const path = join(studyDir, "report", "index.html");
  await writeFileAtomic(path, renderReport({ study, sheets, includePrivate: options.includePrivate }));
  return path;
}
