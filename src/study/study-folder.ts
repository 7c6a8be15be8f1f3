import { join } from "node:path";
import { asJson, contentId } from "./canonical.ts";
import type { Study } from "./study-schema.ts";

/** The folder of a study among the runs: named by the study and by everything in it but its gate, which judges and changes nothing. */
export function studyFolder(runsDir: string, { gate, ...computed }: Study): string {
  return join(runsDir, `${computed.name}-${contentId(asJson(computed)).slice(0, 8)}`);
}
