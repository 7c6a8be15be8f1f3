import { attackName } from "../study/entry-labels.ts";
import type { StudyResult } from "../study/result.ts";
import { FONT_FAMILY } from "./charts.ts";
import { comparisonsOf, conditionsOf } from "./conditions.ts";
import type { ContactSheet } from "./contact-sheet.ts";
import { type Html, html, toMarkup, trusted } from "./escape.ts";
import type { Section } from "./parts.ts";
import { attributesSection } from "./sections/attributes.ts";
import { curvesSection } from "./sections/curves.ts";
import { gateSection } from "./sections/gate.ts";
import { identitiesSection } from "./sections/identities.ts";
import { judgesSection } from "./sections/judges.ts";
import { hasMeasures, measuresSection } from "./sections/measures.ts";
import { priceOfProtection } from "./sections/price.ts";
import { readingSection } from "./sections/reading.ts";
import { reconstructionsSection } from "./sections/reconstructions.ts";
import { configSection, failedSection, provenanceSection, timingsSection } from "./sections/record.ts";
import { summarySection } from "./sections/summary.ts";
import { tradeOffSection } from "./sections/trade-off.ts";
import { styleSheet } from "./style.ts";
import { summarize } from "./summary.ts";

/** What a report is drawn from: the study's numbers and the images that were read for it. */
export interface ReportInput {
  readonly study: StudyResult;
  readonly sheets: readonly ContactSheet[];
  readonly includePrivate: boolean;
}

/** The sections that have something to show, in reading order. */
function sectionsOf({ study, sheets, includePrivate }: ReportInput): readonly Section[] {
  const conditions = conditionsOf(study.cells);
  const comparisons = comparisonsOf(conditions);
  const finished = conditions.length > 0;
  const hasAttributes = study.cells.some((cell) => cell.attributeRecovery.length > 0);
  const sections: (Section | false)[] = [
    study.gate !== undefined && { id: "gate", title: "Gate", body: gateSection(study.gate) },
    { id: "summary", title: "Summary", body: summarySection(summarize(study), study.notes) },
    study.failed.length > 0 && { id: "failed", title: "Failed cells", body: failedSection(study.failed) },
    finished && {
      id: "trade-off",
      title: "Utility and leakage",
      body: html`${tradeOffSection(conditions)}${priceOfProtection(comparisons)}`,
    },
    conditions.some(({ judges }) => judges !== undefined) && {
      id: "judges",
      title: "Judges",
      body: judgesSection(conditions),
    },
    hasMeasures(conditions) && { id: "measures", title: "Further metrics", body: measuresSection(comparisons) },
    finished && {
      id: "reconstructions",
      title: "Reconstructions",
      body: reconstructionsSection(sheets, includePrivate),
    },
    study.cells.some((cell) => cell.identities.length > 0) && {
      id: "identities",
      title: "Identities",
      body: identitiesSection(comparisons),
    },
    hasAttributes && { id: "attributes", title: "Attributes", body: attributesSection(comparisons) },
    study.curves.length > 0 && { id: "training", title: "Training", body: curvesSection(study.curves) },
    { id: "reading", title: "How to read this", body: readingSection(hasAttributes) },
    study.timings.length > 0 && { id: "timings", title: "Timings", body: timingsSection(study.timings) },
    { id: "provenance", title: "Provenance", body: provenanceSection(study.provenance) },
    { id: "configuration", title: "Configuration", body: configSection(study.config) },
  ];
  return sections.filter((section) => section !== false);
}

function meta(study: StudyResult): string {
  const conditions = conditionsOf(study.cells);
  const many = (n: number, word: string) => `${n} ${word}${n === 1 ? "" : "s"}`;
  const distinct = (values: readonly (string | number)[]) => new Set(values).size;
  return [
    many(study.cells.length, "cell"),
    many(distinct(conditions.map(({ label }) => label)), "training setting"),
    many(distinct(study.cells.map(attackName)), "attack"),
    many(distinct(study.cells.map((cell) => cell.seed)), "seed"),
    study.status === "done" ? "" : "not finished",
  ]
    .filter((part) => part !== "")
    .join(" · ");
}

/** Styles and images come from the page itself; the policy keeps a browser from asking for anything else. */
const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/** The whole page as text: one file, no script, no resource outside it. */
export function renderReport(input: ReportInput): string {
  const { study } = input;
  const sections = sectionsOf(input);
  const links: Html[] = sections.map(({ id, title }) => html`<a href="#${id}">${title}</a>`);
  return toMarkup(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${study.name} – tl-dmi study report</title>
<style>${trusted(styleSheet(FONT_FAMILY))}</style>
</head>
<body>
<header class="top"><p class="kicker">Model inversion study</p><h1>${study.name}</h1><p class="quiet">${meta(study)}</p>
<nav aria-label="Sections">${links}</nav></header>
<main>
${sections.map(
  ({ id, title, body }) => html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>
${body}
</section>
`,
)}</main>
</body>
</html>
`);
}
