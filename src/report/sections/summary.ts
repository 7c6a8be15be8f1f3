import { type Html, html } from "../escape.ts";
import type { Finding, Summary, SummaryParagraph, Verdict } from "../summary.ts";

const TONES: Readonly<Record<Verdict, string>> = {
  lower: "good",
  higher: "bad",
  "no difference shown": "plain",
  "no conclusion": "warn",
  "no comparison": "plain",
};

function chip({ defense, verdict }: Finding): Html {
  return html`<span class="chip ${TONES[verdict]}">${defense}: ${verdict}</span>`;
}

/** One defense reads as a paragraph; several are easier to compare as a list. */
function paragraph({ title, opening, findings, closing }: SummaryParagraph): Html {
  const texts = findings.filter(({ text }) => text !== "");
  const body =
    texts.length < 2
      ? html`<p class="lead">${[opening, ...texts.map(({ text }) => text), closing].join(" ")}</p>`
      : html`<p class="lead">${opening}</p>
<ul class="findings">${texts.map(({ text }) => html`<li>${text}</li>`)}</ul>
<p>${closing}</p>`;
  return html`<article class="finding"><header><h3>${title}</h3>${findings.map(chip)}</header>
${body}
</article>
`;
}

/** The study's result in words, with what the words rest on below. */
export function summarySection(summary: Summary, notes: readonly string[]): Html {
  return html`${summary.paragraphs.map(paragraph)}
<ul class="limits">${[...summary.limits, ...notes].map(
    (sentence) => html`<li>${sentence}</li>
`,
  )}</ul>`;
}
