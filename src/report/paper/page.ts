import { markdownTable } from "../markdown-table.ts";
import { fixed, percent } from "../numbers.ts";
import { type Answer, answer, type BeyondReach, type Claim, type Verdict } from "./claim.ts";
import type { StudyEvidence } from "./evidence.ts";
import { byLuck, FEWEST_SEEDS, ONE_SIDE, overall } from "./overall.ts";

const VERDICTS: readonly Verdict[] = [
  "holds here",
  "does not hold here",
  "not shown here",
  "not testable here",
  "not measured yet",
];

/** `holds here: 3, not measured yet: 2` */
function counted(answers: readonly Answer[]): string {
  const counts = VERDICTS.map((verdict) => [verdict, answers.filter((one) => one.verdict === verdict).length] as const);
  return (
    counts
      .filter(([, count]) => count > 0)
      .map(([verdict, count]) => `${verdict}: ${count}`)
      .join(", ") || "no study asks it"
  );
}

/** A claim's row: its verdict, and the tests behind it; those of fewer seeds stand apart, and have no say. */
function claimRow({ title, eitherWay }: Claim, answers: readonly Answer[]): string[] {
  const [heavy, light] = [true, false].map((many) => answers.filter(({ seeds }) => seeds >= FEWEST_SEEDS === many));
  const luck = byLuck(heavy!, eitherWay);
  return [
    title,
    `**${overall(answers, eitherWay)}**`,
    counted(heavy!),
    luck === undefined ? "–" : fixed(luck, 2),
    light!.length === 0 ? "–" : counted(light!),
  ];
}

function studyTable(studies: readonly StudyEvidence[]): string {
  return markdownTable(
    ["study", "model", "seeds", "cells with a record"],
    studies.map(({ name, file, model, cells }) => {
      const there = cells.filter((cell) => cell.file !== undefined).length;
      const recorded = there === 0 ? "0" : `[${there}](records/${name})`;
      return [
        `[${file}](../../${file})`,
        model,
        String(new Set(cells.map(({ seed }) => seed)).size),
        `${recorded} of ${cells.length}`,
      ];
    }),
  );
}

/** What waits for records, a study each. */
function waiting(answers: readonly Answer[]): string {
  const open = answers.filter(({ verdict }) => verdict === "not measured yet");
  const studies = [...new Set(open.map(({ question }) => question.studies.join(" and ")))];
  return studies
    .map((study) => {
      const own = open.filter(({ question }) => question.studies.join(" and ") === study);
      const needs = new Set(own.flatMap(({ question }) => question.needs));
      const there = [...needs].filter(({ file }) => file !== undefined).length;
      return `${study} (tests: ${own.length}, records: ${there} of ${needs.size})`;
    })
    .join("; ");
}

function claimSection(claim: Claim, answers: readonly Answer[]): string[] {
  const decided = answers.filter(({ verdict }) => verdict !== "not measured yet");
  const open = waiting(answers);
  const links = (one: Answer) =>
    one.question.needs.map(({ name, file }) => `[${name}](${encodeURI(file ?? "")})`).join(", ");
  return [
    `## ${claim.title}`,
    `The paper: ${claim.said}`,
    `Test: ${claim.test}`,
    ...(decided.length === 0
      ? []
      : [
          markdownTable(
            ["", "study", "what", "verdict", "why", "figures"],
            decided.map(({ question, verdict, why, figures }, i) => [
              String(i + 1),
              question.studies.join(", "),
              question.about,
              `**${verdict}**`,
              why,
              figures,
            ]),
          ),
          decided.map((one, i) => `${i + 1}. Records: ${links(one)}`).join("\n"),
        ]),
    ...(open === "" ? [] : [`Not measured yet: ${open}.`]),
  ];
}

/** The page of the paper's claims as Markdown; every number of it comes from the evidence. */
export function paperPage(
  studies: readonly StudyEvidence[],
  claims: readonly Claim[],
  beyond: readonly BeyondReach[],
): string {
  const answered = claims.map((claim) => ({ claim, answers: claim.questions(studies).map(answer) }));
  const cells = studies.flatMap((study) => study.cells);
  const there = cells.filter(({ file }) => file !== undefined).length;
  return `${[
    "# The paper's claims, one by one",
    "Ho et al., Model Inversion Robustness: Can Transfer Learning Help? (CVPR 2024), asked again on drawn people and handwritten digits. " +
      "This page is written by `npm run paper-page` from the records of the studies below: each test names the records that it rests on, " +
      "and a record its study, its folder in the run, and the commit that computed it; the study's command makes the run again. " +
      `${there} of ${cells.length} cells (${percent(cells.length === 0 ? Number.NaN : there / cells.length)}) have a record.`,
    "Brackets are 95 % intervals: of rates over seeds and images where a study has several seeds, over images alone where it has one; of " +
      "differences between two targets, and of two defenses at equal natural accuracy, over people and seeds, person by person. A claim " +
      "has as many tests as there are studies, attacks and boundaries that can speak of it. They are not corrected for their number; the table says how many " +
      `would hold at most if there were nothing to find: ${percent(ONE_SIDE, 1)} of those that were decided or left open, ` +
      `${percent(2 * ONE_SIDE)} where a difference of either sign is claimed. _Not shown_ means measured and left open by the intervals; ` +
      "_not testable_, that the numbers could not decide it.",
    "## Studies",
    "What each asks, what it costs and how to run it: [studies](../../studies/README.md). Those of `examples` are smaller and serve where they can.",
    studyTable(studies),
    "## Claims",
    markdownTable(
      ["claim", "verdict", "its tests", "of them would hold by chance", "tests of fewer seeds"],
      [
        ...answered.map(({ claim, answers }) => claimRow(claim, answers)),
        ...beyond.map(({ title }) => [title, "**not testable here**", "–", "–", "–"]),
      ],
    ),
    `A verdict is that of the tests over at least ${FEWEST_SEEDS} seeds. _Holds here_: all that were decided or left open hold. _Holds in part_: ` +
      "some hold, more than chance would make, and others do not or are left open; which, the claim's own table says. _Does not hold here_ and " +
      "_not shown here_: no more hold than chance would make, and most of the others deny it, or leave it open.",
    ...answered.flatMap(({ claim, answers }) => claimSection(claim, answers)),
    "## What cannot be tested here",
    beyond.map(({ title, said, why }) => `- **${title}.** The paper: ${said} Not testable here: ${why}`).join("\n"),
  ].join("\n\n")}\n`;
}
