import { join } from "node:path";
import { asJson, contentId } from "./canonical.ts";
import type { Study } from "./study-schema.ts";

/** The folder of a study among the runs: named by the study and by everything in it. */
export function studyFolder(runsDir: string, study: Study): string {
  return join(runsDir, `${study.name}-${contentId(asJson(study)).slice(0, 8)}`);
}
