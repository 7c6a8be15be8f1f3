import { beatsFloors } from "../study/floors.ts";
import type { StudyResult } from "../study/result.ts";
import { type AttackChange, changeOfAttack } from "./change-of-attack.ts";
import { type Comparison, type Condition, comparisonsOf, conditionsOf } from "./conditions.ts";
import { magnitude, points, sideOf } from "./difference.ts";
import { type EqualUtility, equalUtility } from "./equal-utility.ts";
import { count, fixed, percent, percentWithInterval } from "./numbers.ts";
import { doubtsOfOthers } from "./other-judges.ts";

/** A fall of natural accuracy above this many points is said aloud: the classifier may simply have become worse. */
export const UTILITY_LIMIT_POINTS = 5;

/** What the numbers allow to be said of one defense against one attack. */
export type Verdict = "lower" | "higher" | "no difference shown" | "no conclusion" | "no comparison";

/** One defense against one attack, in words. */
export interface Finding {
  readonly defense: string;
  readonly verdict: Verdict;
  /** Whole sentences; empty where nothing may be said. */
  readonly text: string;
}

/** What is to be said of one attack, to be read in this order: opening, findings, closing. */
export interface SummaryParagraph {
  readonly title: string;
  /** What the attack reaches without a defense; empty where that was not measured. */
  readonly opening: string;
  readonly findings: readonly Finding[];
  /** The floors, and whether the attack beats them. */
  readonly closing: string;
}

/** A paragraph's sentences in the order in which they are read. */
export function sentencesOf({ opening, findings, closing }: SummaryParagraph): string[] {
  return [opening, ...findings.map(({ text }) => text), closing].filter((sentence) => sentence !== "");
}

/** The study in plain words, computed from its numbers alone. */
export interface Summary {
  readonly paragraphs: readonly SummaryParagraph[];
  /** What the numbers do not show: seeds, the judge, cells that failed. */
  readonly limits: readonly string[];
}

function settingOf({ label, boundary, trainableParameters, frozenParameters }: Condition): string {
  if (boundary === null) return label;
  const share = percent(trainableParameters / (trainableParameters + frozenParameters));
  // The boundary is said in brackets, so it need not be said in the name.
  return `${label.replace(` · ${boundary}`, "")} (frozen up to ${boundary}; ${share} of parameters see private data)`;
}

function utilityClause(defended: Condition, undefended: Condition): string {
  const lost = (undefended.naturalAccuracy.value - defended.naturalAccuracy.value) * 100;
  const values = `(${percent(defended.naturalAccuracy.value, 1)} against ${percent(undefended.naturalAccuracy.value, 1)})`;
  if (Math.abs(lost) < 0.05) return `at the same natural accuracy ${values}`;
  return `at ${fixed(Math.abs(lost), 1)} points ${lost > 0 ? "lower" : "higher"} natural accuracy ${values}`;
}

/** Said of an attack that is not shown to beat its floors; the higher of the two is the one to beat. */
function floorSentence({ floors: { randomPrior, initialSelection } }: Condition): string {
  const [what, floor] =
    randomPrior.value > initialSelection.value
      ? ["random samples of the prior reach", randomPrior]
      : ["initial selection alone reaches", initialSelection];
  return `That is not shown to lie above what ${what} on this model (${percentWithInterval(floor)}).`;
}

/** How a difference was taken, where it was not person by person. */
const unpaired = ({ paired }: AttackChange) =>
  paired ? "" : " (of the two intervals: the two have not the same people and seeds)";

/** Compares a defended with an undefended condition by the 95 % interval of the difference between them. */
function findingOf(defended: Condition, undefended: Condition): Finding {
  const attack = percentWithInterval(defended.attackAccuracy);
  const utility = utilityClause(defended, undefended);
  const change = changeOfAttack(undefended, defended);
  const side = sideOf(change);
  const verdict = side < 0 ? "lower" : side > 0 ? "higher" : "no difference shown";
  const sentences: string[] = [];
  if (verdict === "lower") {
    sentences.push(
      `With ${settingOf(defended)} it is ${attack}, ${magnitude(change)} less${unpaired(change)}, ${utility}.`,
    );
    if (!beatsFloors(defended)) sentences.push(floorSentence(defended));
    sentences.push(...doubtsOfOthers(defended, undefended));
  } else if (verdict === "higher") {
    sentences.push(
      `With ${settingOf(defended)} it is ${attack}, ${magnitude(change)} more${unpaired(change)}, so it did not protect here, ${utility}.`,
    );
  } else {
    sentences.push(`With ${settingOf(defended)} it is ${attack}, ${utility}.`);
    sentences.push(`The difference, ${points(change)} points${unpaired(change)}, may be none: none is shown.`);
  }
  const fall = (undefended.naturalAccuracy.value - defended.naturalAccuracy.value) * 100;
  if (fall > UTILITY_LIMIT_POINTS) {
    sentences.push(
      `Natural accuracy falls by more than ${UTILITY_LIMIT_POINTS} points: a lower attack accuracy may come from a worse classifier rather than from protection.`,
    );
  }
  return { defense: defended.label, verdict, text: sentences.join(" ") };
}

/** More pairs than this that differ are left to their table. */
const MOST_PAIRS = 3;

/** Said only of a difference whose interval leaves out zero. */
function equalUtilitySentence({ first, second, area, others }: EqualUtility): string | undefined {
  const { difference, from, to } = area;
  const side = sideOf(difference);
  if (side === 0) return undefined;
  const [better, worse] = side < 0 ? [first, second] : [second, first];
  const doubts = others.flatMap(({ judge, area: seen }) => {
    const other = seen === undefined ? 0 : sideOf(seen.difference);
    if (other === side) return [];
    return `${judge} ${other === 0 ? "shows no difference" : "sees it the other way round"}`;
  });
  const doubt = doubts.length === 0 ? "" : ` Other judges do not confirm it: ${doubts.join(", ")}.`;
  return `At equal natural accuracy, from ${percent(from, 1)} to ${percent(to, 1)}, attacks on ${better} reach ${magnitude(difference)} less than on ${worse}.${doubt}`;
}

function paragraphOf(comparison: Comparison): SummaryParagraph {
  const { title, attack, undefended, defended } = comparison;
  const uncompared = (verdict: Verdict, text: (condition: Condition) => string = () => "") =>
    defended.map((condition) => ({ defense: condition.label, verdict, text: text(condition) }));
  const recognised = ({ attackAccuracy }: Condition) =>
    `${percentWithInterval(attackAccuracy)} of the ${count(attackAccuracy.n)} reconstructions of ${attack} are recognised as the attacked identity`;
  if (undefended === undefined) {
    return {
      title,
      opening: "",
      findings: uncompared("no comparison", (condition) => `With ${settingOf(condition)}, ${recognised(condition)}.`),
      closing: `No undefended model was attacked with ${title}, so nothing can be said about what a defense changes.`,
    };
  }
  const { randomPrior, initialSelection } = undefended.floors;
  const floors = `Random samples of the prior reach ${percentWithInterval(randomPrior)}, the best initial latents without optimisation ${percentWithInterval(initialSelection)}.`;
  const opening = `Without a defense, ${recognised(undefended)}.`;
  if (!beatsFloors(undefended)) {
    const closing = `${floors} The attack on the undefended model is not shown to beat these floors, so no conclusion about any defense may be drawn from it.`;
    return { title, opening, findings: uncompared("no conclusion"), closing };
  }
  const alone = defended.length > 0 ? "" : " No defended model was attacked, so this shows what leaks and no more.";
  const compared = equalUtility(comparison).flatMap((pair) => equalUtilitySentence(pair) ?? []);
  const equal = compared.length === 0 || compared.length > MOST_PAIRS ? "" : ` ${compared.join(" ")}`;
  return {
    title,
    opening,
    findings: defended.map((condition) => findingOf(condition, undefended)),
    closing: `${floors}${alone}${equal}`,
  };
}

function seedSentence(conditions: readonly Condition[]): string {
  const most = Math.max(...conditions.map((condition) => condition.cells.length));
  if (most === 1) {
    return (
      "One seed was run: the intervals of rates are over images, each a trial of its own, not over people or seeds, and another run or other " +
      "people may differ by more. Differences of targets are over people, and not over seeds."
    );
  }
  const each = conditions.every((condition) => condition.cells.length === most) ? "" : "up to ";
  return (
    `Values are means over ${each}${most} seeds; an interval is the wider of Student's t over seeds and the seeds' own intervals, which for ` +
    "rates are over images, each a trial of its own; of a difference of targets, that of Student's t over people and over seeds."
  );
}

function judgeSentences(conditions: readonly Condition[], judgesAt: string): readonly string[] {
  const sentences = conditions.map(({ evaluationModel: { kind, naturalAccuracy }, judges }) => {
    const [, ...others] = judges?.judges.map(({ name }) => name) ?? [];
    const alone =
      others.length === 0
        ? "One judge alone overstates an attack's success."
        : `How far ${others.join(" and ")} agree${others.length === 1 ? "s" : ""} with it is said ${judgesAt}.`;
    return `The judge, evaluation model ${kind}, recognises ${percentWithInterval(naturalAccuracy, 1)} of real private test images. ${alone}`;
  });
  return [...new Set(sentences)];
}

/**
 * Says what a study shows, and what it does not, from its numbers.
 * @param judgesAt where a reader finds what further judges say
 */
export function summarize(study: StudyResult, judgesAt = "under Judges"): Summary {
  const conditions = conditionsOf(study.cells);
  const limits: string[] = [];
  if (conditions.length === 0) limits.push("No cell of this study has finished, so there is nothing to conclude.");
  else limits.push(seedSentence(conditions), ...judgeSentences(conditions, judgesAt));
  if (study.failed.length > 0) {
    limits.push(
      `${study.failed.length} of ${study.failed.length + study.cells.length} cells failed and are missing here.`,
    );
  } else if (study.status === "partial") limits.push("The study is not finished: cells are missing here.");
  return { paragraphs: comparisonsOf(conditions).map(paragraphOf), limits };
}
