import { beatsFloors } from "../../study/floors.ts";
import { type Comparison, UNDEFENDED } from "../conditions.ts";
import { apart, points } from "../difference.ts";
import { markdownTable } from "../markdown-table.ts";
import { percent, percentWithInterval } from "../numbers.ts";
import { LEAST_GAP, type OrderHere, type OrderVerdict, ordersOf } from "./orders.ts";
import { pairOf } from "./pairs.ts";
import type { PublishedTable } from "./published.ts";
import { defenseOf } from "./standings.ts";
import { strengthened, type UnderBoth, underBoth } from "./trials.ts";

/** Two attacks that differ in their identity loss alone. */
export interface LossTrial {
  readonly first: string;
  readonly second: string;
}

/** What the page is made of. */
export interface RankingsPage {
  readonly standings: readonly Comparison[];
  readonly tables: readonly PublishedTable[];
  readonly lossTrial: LossTrial;
}

/** All that is said of one attack. */
interface UnderAttack {
  readonly standings: Comparison;
  /** Those that may be held against it. */
  readonly tables: readonly PublishedTable[];
  readonly orders: readonly (OrderHere & { readonly source: number })[];
}

const VERDICTS: readonly OrderVerdict[] = ["same order", "other order", "no order shown"];

/** Where the order of defenses differs from the papers', as Markdown; every number of ours comes from records. */
export function rankingsPage({ standings, tables, lossTrial }: RankingsPage): string {
  const under = standings.filter(({ attack }) => attack !== lossTrial.second).map((own) => underAttack(own, tables));
  return `${[
    "# Where defenses stand here, and in their papers",
    "Written by `npm run rankings-page` from the records of [examples/defenses.yaml](../../examples/defenses.yaml) and " +
      "[examples/rivals.yaml](../../examples/rivals.yaml): drawn people at 64×64, a ResNet-10, start weights that have never seen a face. Papers " +
      "have photographs, larger networks and start weights from ImageNet or of faces; their numbers are never expected here, their order may be. " +
      "Brackets are 95 % intervals: of rates over images, and over seeds where a row has several; of changes over people and seeds, person by " +
      "person.",
    "## Summary",
    ...under.map(summaryOf),
    "## What each defense takes from the attack",
    "_Left of the attack_ is attack accuracy on the defended model over that on the undefended one. That of the papers is of those of their tables " +
      "below, from the least to the most. A defense is only as good as what it costs: natural accuracy stands beside it. ≈ marks an attack that does " +
      "not lie above both of its floors with intervals apart.",
    ...under.map(standingTable),
    "## Published orders, one by one",
    `Every two defenses that a table tells apart by at least ${percent(LEAST_GAP)} attack accuracy, each pair in those two of our settings ` +
      "whose natural accuracies lie nearest to each other; settings that another of the same defense beats, which leaks less and is not shown to " +
      "cost natural accuracy, stand aside. _No order shown_: the interval of the difference holds zero.",
    ...under.map(orderTable),
    "## Sources",
    sources(tables),
    "## What was tried to find the cause",
    ...causes(standings, lossTrial),
  ].join("\n\n")}\n`;
}

function underAttack(standings: Comparison, all: readonly PublishedTable[]): UnderAttack {
  const mayBeHeld = ({ under = standings.attack }: PublishedTable) => under === standings.attack;
  return {
    standings,
    tables: all.filter(mayBeHeld),
    orders: all.flatMap((table, i) =>
      mayBeHeld(table) ? ordersOf(table, standings).map((order) => ({ ...order, source: i + 1 })) : [],
    ),
  };
}

function summaryOf({ standings: { attack }, orders }: UnderAttack): string {
  const counts = VERDICTS.map((verdict) => `${orders.filter((one) => one.verdict === verdict).length} ${verdict}`);
  const reversed = orders.filter(({ verdict }) => verdict === "other order");
  const named = [...new Set(reversed.map(({ less, more }) => `${less.defense} before ${more.defense}`))];
  return (
    `**${attack}.** Of ${orders.length} published orders of two defenses: ${counts.join(", ")}.` +
    (named.length === 0 ? "" : ` Published and found the other way round: ${named.join("; ")}.`)
  );
}

function standingTable({ standings: { attack, undefended, all }, tables }: UnderAttack): string {
  const rows = all.map((condition) => {
    const pair = undefended && !condition.undefended ? pairOf(condition, undefended) : undefined;
    return [
      condition.label,
      String(condition.cells.length),
      percentWithInterval(condition.naturalAccuracy, 1),
      pair ? points(pair.natural) : "–",
      `${percentWithInterval(condition.attackAccuracy, 1)}${beatsFloors(condition) ? "" : " ≈"}`,
      pair ? points(pair.attack) : "–",
      pair ? percent(pair.first.attackAccuracy.value / pair.second.attackAccuracy.value) : "–",
      publishedShare(defenseOf(condition), tables),
    ];
  });
  const titles = [
    `${attack} on`,
    "seeds",
    "natural accuracy",
    "change, points",
    "attack accuracy",
    "change, points",
    "left of the attack",
    "in papers",
  ];
  return markdownTable(titles, rows);
}

/** `43 %`, or from the least to the most. */
function publishedShare(defense: string, tables: readonly PublishedTable[]): string {
  const shares = tables.flatMap(({ rows: [undefended, ...rows] }) =>
    rows.filter((row) => row.defense === defense).map(({ attack }) => attack / undefended!.attack),
  );
  if (shares.length === 0 || defense === UNDEFENDED) return "–";
  const [least, most] = [percent(Math.min(...shares)), percent(Math.max(...shares))];
  return least === most ? least : `${least} to ${most}`;
}

function orderTable({ standings: { attack }, orders }: UnderAttack): string {
  const titles = ["source", "published to leak less", "than", `${attack} here`, "change, points", "natural", ""];
  const rows = orders.map(({ source, less, more, here: { first, second, attack: leak, natural }, verdict }) => [
    String(source),
    `${less.defense} (${percent(less.attack, 1)})`,
    `${more.defense} (${percent(more.attack, 1)})`,
    [first, second].map(({ label, attackAccuracy }) => `${label}: ${percent(attackAccuracy.value, 1)}`).join("; "),
    points(leak),
    points(natural),
    `**${verdict}**`,
  ]);
  return markdownTable(titles, rows);
}

function sources(tables: readonly PublishedTable[]): string {
  return tables
    .map(({ source, setting, note }, i) => `${i + 1}. ${source}: ${setting}${note === undefined ? "" : `; ${note}`}.`)
    .join("\n");
}

function causes(standings: readonly Comparison[], { first, second }: LossTrial): string[] {
  const [own, other] = [first, second].map((name) => standings.find(({ attack }) => attack === name));
  const both = own && other ? underBoth(own, other) : [];
  return [
    "**Is it the papers' setting?** Weights and perturbations were chosen for other images, networks and numbers of classes. Each defense's " +
      `settings under ${first}, from the one that keeps most natural accuracy to the next:`,
    markdownTable(
      ["from", "to", "attack accuracy, points", "natural accuracy, points"],
      (own ? strengthened(own) : []).map((pair) => [
        pair.second.label,
        pair.first.label,
        points(pair.attack),
        points(pair.natural),
      ]),
    ),
    `**Is it the attack's loss?** A defense that bends probabilities leaves logits in order. ${first} follows a margin between logits; ` +
      "the attacks of the papers follow cross-entropy, or PPA's distance between probabilities. The same search by cross-entropy, change of attack " +
      "accuracy against the undefended model in points:",
    ...(both.length === 0
      ? ["Not measured yet."]
      : [
          markdownTable(
            ["defense", first, second],
            both.map((one) => [one.label, points(one.first), points(one.second)]),
          ),
          lossInWords(both),
        ]),
    "**Not tried, since two cores do not reach it:** photographs at 224×224, ResNet-152, PPA in a StyleGAN of FFHQ, start weights from ImageNet.",
  ];
}

/** Which settings take more from one of the attacks than from the other, with intervals apart. */
function lossInWords(both: readonly UnderBoth[]): string {
  const apartFrom = both.filter(({ first, second }) => apart(first, second));
  if (apartFrom.length === 0) return "No setting's two intervals are apart: the loss does not explain the orders.";
  return `Intervals are apart for ${apartFrom.map(({ label }) => label).join("; ")}.`;
}
