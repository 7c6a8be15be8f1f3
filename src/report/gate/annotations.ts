import type { GateResult } from "../../study/gate.ts";
import { cellOf } from "./cell-name.ts";

const data = (text: string) => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
const property = (text: string) => data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");

/**
 * A gate's verdict as workflow commands of GitHub Actions, a line each: an error for every check that does not pass, a warning for a
 * weak attack that was accepted, a notice where all is well.
 */
export function gateAnnotations(name: string, { passed, checks }: GateResult): string {
  const line = (level: string, title: string, text: string) => `::${level} title=${property(title)}::${data(text)}\n`;
  const lines = checks.flatMap((check) => {
    if (check.passed && check.outcome === "holds") return [];
    const title = `${cellOf(check)}: ${check.demand}`;
    return [line(check.passed ? "warning" : "error", title, `${check.outcome}: ${check.message}`)];
  });
  if (passed) lines.push(line("notice", `Gate of ${name}`, `passed: ${checks.length} of ${checks.length} checks`));
  return lines.join("");
}
