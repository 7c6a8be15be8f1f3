import type { JudgeResult, JudgesResult, Measured } from "../../study/result.ts";
import type { Condition } from "../conditions.ts";
import { type Html, type HtmlPart, html } from "../escape.ts";
import { count, percent, percentInterval, percentWithInterval } from "../numbers.ts";
import { colorKey, table } from "../parts.ts";

const share = (measured: Measured | undefined): HtmlPart =>
  measured === undefined ? "–" : html`${percent(measured.value, 1)}<small>${percentInterval(measured, 1)}</small>`;

function worth({ naturalAccuracy, realPairs }: JudgeResult): string {
  if (realPairs !== undefined) {
    const { same, different } = realPairs;
    return `says yes to ${percentWithInterval(same)} of real images beside their own identity, no to ${percentWithInterval(different)} beside another`;
  }
  return naturalAccuracy === undefined
    ? "not measured"
    : `recognises ${percentWithInterval(naturalAccuracy, 1)} of real private test images`;
}

/** What the judges say of one condition, in words. */
export function judgesSentence(condition: Condition, { judges, unconfirmed, unanimous }: JudgesResult): string {
  const [first, ...others] = judges;
  const rates = judges.map(({ name, attackAccuracy }) => `${name} ${percent(attackAccuracy.value)}`).join(", ");
  const start = `${condition.label}, ${condition.attack}: the share of recognised reconstructions is ${rates}; all judges together see the identity in ${percentWithInterval(unanimous)}.`;
  if (unconfirmed === undefined) return `${start} ${first?.name} recognises nobody.`;
  const by = others.length === 1 ? others[0]?.name : "every other judge";
  return `${start} ${percentWithInterval(unconfirmed)} of what ${first?.name} recognises is not recognised by ${by}: these may be false positives.`;
}

/** @param asked what was said of each condition, for what a judge did not want to answer */
function worthTable(judges: readonly JudgeResult[], asked: readonly JudgesResult[]): Html {
  const refused = (place: number) => asked.reduce((sum, said) => sum + (said.judges[place]?.refused ?? 0), 0);
  return table(
    "What each judge's word is worth",
    [{ name: "judge" }, { name: "on real images" }, { name: "did not answer", numeric: true }],
    judges.map((judge, place) => ({
      cells: [judge.name, worth(judge), judge.refused === undefined ? "–" : count(refused(place))],
    })),
    "prose",
  );
}

/** Conditions with the same judges share a table. */
function groupByJudges(conditions: readonly Condition[]) {
  const groups = new Map<string, { judges: readonly JudgeResult[]; members: [Condition, JudgesResult][] }>();
  for (const condition of conditions) {
    const { judges: judged } = condition;
    if (judged === undefined) continue;
    const key = judged.judges.map(({ name }) => name).join("\n");
    const group = groups.get(key) ?? { judges: judged.judges, members: [] };
    group.members.push([condition, judged]);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** More conditions than this are left to the table. */
const MOST_SENTENCES = 4;

/** How far several judges agree on what an attack achieved. */
export function judgesSection(conditions: readonly Condition[]): Html {
  return html`<p>Attack accuracy above is the word of one judge, the evaluation model. A judge can take an image for the attacked identity that nobody else would. Here others judge the same reconstructions. All intervals in this section come from resampling identities, so the first judge's differs from the one above.</p>
${groupByJudges(conditions).map(({ judges, members }) => {
  const columns = [
    { name: "defense" },
    { name: "attack" },
    ...judges.map(({ name }, i) => ({ name: i === 0 ? `${name}, the first judge` : name, numeric: true })),
    { name: "all judges see it", numeric: true },
    { name: "all say the same", numeric: true },
    { name: "the first judge's successes that others do not see", numeric: true },
    { name: "successes that only one judge sees", numeric: true },
  ];
  const rows = members.map(([condition, judged]) => ({
    cells: [
      html`${colorKey(condition.labelIndex)}${condition.label}`,
      condition.attack,
      ...judged.judges.map(({ attackAccuracy }) => share(attackAccuracy)),
      share(judged.unanimous),
      share(judged.agreement),
      share(judged.unconfirmed),
      share(judged.single),
    ],
  }));
  const told = members.length > MOST_SENTENCES ? members.filter(([{ undefended }]) => undefended) : members;
  return html`<ul class="findings">${told.map(([condition, judged]) => html`<li>${judgesSentence(condition, judged)}</li>`)}</ul>
${table("Attack accuracy by judge, and how far judges agree", columns, rows)}
${worthTable(
  judges,
  members.map(([, judged]) => judged),
)}`;
})}`;
}
