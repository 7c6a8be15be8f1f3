import type { GateResult } from "../../study/gate.ts";
import { cellOf } from "./cell-name.ts";

/** Text in a cell of a Markdown table: nothing in it is markup. */
const plain = (text: string) =>
  text.replaceAll(/[\\`*_{}[\]<>|#&~]/g, (sign) => `&#${sign.codePointAt(0)};`).replaceAll(/\s+/g, " ");

/** A gate's verdict as a Markdown section with one table, for a pull request or a job's summary. */
export function gateMarkdown(name: string, { passed, checks }: GateResult): string {
  const failed = checks.filter((check) => !check.passed).length;
  const verdict = passed
    ? `passed: ${checks.length} of ${checks.length} checks`
    : `failed: ${failed} of ${checks.length} checks`;
  const rows = checks.map(
    (check) =>
      `| ${check.passed ? "✓" : "✗"} | ${plain(cellOf(check))} | ${plain(check.demand)} | ${check.outcome} | ${plain(check.message)} |`,
  );
  return `### Gate of ${plain(name)} ${verdict}

| | cell | demand | outcome | measured |
| --- | --- | --- | --- | --- |
${rows.join("\n")}

Brackets hold 95 % intervals. A bound holds where even the unfavourable end of the interval keeps it.
`;
}
