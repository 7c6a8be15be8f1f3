import type { GateCheck, GateResult } from "../../study/gate.ts";
import { byCell } from "./cell-name.ts";

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\n": "&#10;",
  "\t": "&#9;",
  "\r": "&#13;",
};

/** Text as XML 1.0 may hold it in an attribute; characters that it may not hold at all become �. */
function xml(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, "\u{FFFD}")
    .replaceAll(/[&<>"\n\t\r]/g, (sign) => ESCAPES[sign] ?? sign);
}

function testCase(suite: string, { demand, outcome, passed, message }: GateCheck): string {
  const open = `    <testcase classname="${xml(suite)}" name="${xml(demand)}"`;
  if (passed) return `${open}>\n      <system-out>${xml(message)}</system-out>\n    </testcase>\n`;
  return `${open}>\n      <failure type="${xml(outcome)}" message="${xml(message)}"/>\n    </testcase>\n`;
}

/** A gate's verdict as JUnit XML: a suite a cell, a test case a demand. */
export function gateJunit(name: string, { checks }: GateResult): string {
  const failures = (some: readonly GateCheck[]) => some.filter(({ passed }) => !passed).length;
  const counts = (some: readonly GateCheck[]) => `tests="${some.length}" failures="${failures(some)}" errors="0"`;
  const suites = [...byCell(checks)].map(([cell, of]) => {
    const cases = of.map((check) => testCase(`${name}.${cell}`, check)).join("");
    return `  <testsuite name="${xml(cell)}" ${counts(of)} skipped="0">\n${cases}  </testsuite>\n`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${xml(name)}" ${counts(checks)}>\n${suites.join("")}</testsuites>\n`;
}
