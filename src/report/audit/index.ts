import { join } from "node:path";
import { writeFileAtomic } from "../../engine/atomic-file.ts";
import type { AuditFacts } from "../../study/audit/audit.ts";
import type { StudyResult } from "../../study/result.ts";
import { RESULT_FILE } from "../../study/run-folder.ts";
import type { AuditVerdict } from "./verdict.ts";

export { modelCard, writeModelCard } from "./model-card.ts";
export { type AuditFinding, type AuditVerdict, auditVerdict } from "./verdict.ts";

/** What an audit's `result.json` holds. */
export interface AuditResult extends AuditFacts {
  readonly schemaVersion: 1;
  readonly verdict: AuditVerdict;
  readonly cells: StudyResult["cells"];
  readonly failed: StudyResult["failed"];
  readonly gate?: StudyResult["gate"];
}

/** Writes an audit's `result.json` into its folder. */
export async function writeAuditResult(
  dir: string,
  facts: AuditFacts,
  { cells, failed, gate }: StudyResult,
  verdict: AuditVerdict,
): Promise<AuditResult> {
  const result: AuditResult = { schemaVersion: 1, ...facts, verdict, cells, failed, ...(gate && { gate }) };
  await writeFileAtomic(join(dir, RESULT_FILE), `${JSON.stringify(result, undefined, 2)}\n`);
  return result;
}
