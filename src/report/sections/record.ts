import { attackName, defenseName } from "../../study/entry-labels.ts";
import type { FailedCell, StudyResult } from "../../study/result.ts";
import { type Html, html } from "../escape.ts";
import { duration, percent } from "../numbers.ts";
import { table } from "../parts.ts";

/** Cells that did not finish, with their messages. */
export function failedSection(failed: readonly FailedCell[]): Html {
  return table(
    "Cells that failed",
    [{ name: "defense" }, { name: "attack" }, { name: "seed", numeric: true }, { name: "message" }],
    failed.map((cell) => ({
      cells: [defenseName(cell), attackName(cell), String(cell.seed), html`<code>${cell.message}</code>`],
    })),
    "prose",
  );
}

/** Wall time by step; steps that an earlier run had done already are marked. */
export function timingsSection(timings: StudyResult["timings"]): Html {
  const spent = timings.filter(({ reused }) => !reused).reduce((sum, { seconds }) => sum + seconds, 0);
  const longest = Math.max(...timings.map(({ seconds }) => seconds));
  const share = (seconds: number) => (longest > 0 ? Math.max(0.4, (seconds / longest) * 100) : 0);
  const rows = timings.map(({ step, seconds, reused }) => ({
    cells: [
      step,
      html`<span class="bar ${reused ? "old" : ""}" style="width:${share(seconds).toFixed(1)}%"></span>`,
      reused ? `${duration(seconds)}, reused` : duration(seconds),
      reused || spent === 0 ? "–" : percent(seconds / spent),
    ],
    className: reused ? "part" : "",
  }));
  return html`<p>${duration(spent)} in all${timings.some(({ reused }) => reused) ? ", without the steps that were reused from earlier runs" : ""}.</p>
${table(
  "Wall time of each step",
  [
    { name: "step" },
    { name: html`<span class="unseen">time as a bar</span>` },
    { name: "time", numeric: true },
    { name: "share", numeric: true },
  ],
  rows,
)}`;
}

/** Versions, machine, hashes, as the study has recorded them. */
export function provenanceSection(provenance: StudyResult["provenance"]): Html {
  const rows = Object.entries(provenance).map(([name, value]) => ({
    cells: [name, html`<code>${String(value)}</code>`],
  }));
  return table("What this study was run with", [{ name: "what" }, { name: "value" }], rows, "prose");
}

/** The resolved study file. */
export function configSection(config: string): Html {
  return html`<p>The study file with all defaults filled in.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Configuration"><pre>${config}</pre></div>`;
}
