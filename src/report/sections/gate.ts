import type { GateCheck, GateOutcome, GateResult } from "../../study/gate.ts";
import { type Html, type HtmlPart, html } from "../escape.ts";
import { cellOf } from "../gate/cell-name.ts";
import { significant } from "../numbers.ts";
import { table } from "../parts.ts";

/** What is said below a verdict that is not plainly one. */
const REASONS: Readonly<Record<GateOutcome, string>> = {
  holds: "",
  broken: "",
  "not shown": "not shown to hold",
  "not measured": "not measured",
  "weak attack": "weak attack",
};

const tone = ({ passed, outcome }: GateCheck) => (!passed ? "bad" : outcome === "holds" ? "good" : "warn");

function verdictOf(check: GateCheck): Html {
  const { passed, outcome } = check;
  const word = !passed ? "broken" : outcome === "holds" ? "passed" : "accepted";
  return html`<span class="chip ${tone(check)}">${word}</span><small>${REASONS[outcome]}</small>`;
}

function measuredIn({ measured }: GateCheck): HtmlPart {
  if (measured === undefined) return "–";
  const { value, low, high } = measured;
  if (low === value && high === value) return significant(value);
  return html`${significant(value)}<small>[${significant(low)},\u00a0${significant(high)}]</small>`;
}

/** The verdict of the study's gate: each bound on each cell, what was measured with its interval, and whether it passed. */
export function gateSection({ passed, checks }: GateResult): Html {
  const broken = checks.filter((check) => !check.passed);
  const verdict = passed
    ? `All ${checks.length} checks of the study's gate passed.`
    : `${broken.length} of the ${checks.length} checks of the study's gate ${broken.length === 1 ? "is" : "are"} broken.`;
  // What is broken stands first; within that, as the gate checked.
  const ordered = [...broken, ...checks.filter((check) => check.passed)];
  return html`<p class="lead"><span class="chip ${passed ? "good" : "bad"}">gate ${passed ? "passed" : "failed"}</span> ${verdict} A bound holds where even the unfavourable end of the 95 % interval keeps it.</p>
${table(
  "Each bound on each cell",
  [{ name: "cell" }, { name: "bound" }, { name: "measured", numeric: true }, { name: "verdict" }, { name: "in words" }],
  ordered.map((check) => ({
    cells: [cellOf(check), html`<code>${check.demand}</code>`, measuredIn(check), verdictOf(check), check.message],
  })),
  "prose",
)}`;
}
