import { beatsFloors } from "../../study/floors.ts";
import type { Condition } from "../conditions.ts";
import { differenceOf, points } from "../difference.ts";
import { markdownTable } from "../markdown-table.ts";
import { percent, percentWithInterval } from "../numbers.ts";
import { LEAST_GAP, type OrderHere, type OrderVerdict, ordersOf, overCommonSeeds } from "./orders.ts";
import type { PublishedTable } from "./published.ts";
import type { Standing } from "./standings.ts";
import { strengthened, type UnderBoth, undefendedOf, underBoth } from "./trials.ts";

/** Two attacks that differ in their identity loss alone. */
export interface LossTrial {
  readonly first: string;
  readonly second: string;
}

/** What the page is made of. */
export interface RankingsPage {
  readonly standings: ReadonlyMap<string, readonly Standing[]>;
  readonly tables: readonly PublishedTable[];
  readonly lossTrial: LossTrial;
}

/** All that is said of one attack. */
interface UnderAttack {
  readonly attack: string;
  readonly standings: readonly Standing[];
  readonly tables: readonly NumberedTable[];
}

/** A table with its place in the list of sources. */
type NumberedTable = PublishedTable & { readonly number: number };

const VERDICTS: readonly OrderVerdict[] = ["same order", "other order", "no order shown"];

/** Where the order of defenses differs from the papers', as Markdown; every number of ours comes from records. */
export function rankingsPage({ standings, tables, lossTrial }: RankingsPage): string {
  const attacks = [...standings.keys()].filter((attack) => attack !== lossTrial.second);
  const numbered = tables.map((table, i) => ({ ...table, number: i + 1 }));
  const of = (attack: string): UnderAttack => ({
    attack,
    standings: standings.get(attack)!,
    tables: numbered.filter(({ under = attack }) => under === attack),
  });
  return `${[
    "# Where defenses stand here, and in their papers",
    "Written by `npm run rankings-page` from the records of [examples/defenses.yaml](../../examples/defenses.yaml) and " +
      "[examples/rivals.yaml](../../examples/rivals.yaml): drawn people at 64×64, a ResNet-10, start weights that have never seen a face. Papers " +
      "have photographs, larger networks and start weights from ImageNet or of faces; their numbers are never expected here, their order may be. " +
      "Brackets are 95 % intervals over images, and over seeds where a row has several.",
    "## Summary",
    ...attacks.map((attack) => summaryOf(of(attack))),
    "## What each defense takes from the attack",
    "_Left of the attack_ is attack accuracy on the defended model over that on the undefended one. That of the papers is of those of their tables " +
      "below, from the least to the most. A defense is only as good as what it costs: natural accuracy stands beside it. ≈ marks an attack that does " +
      "not lie above both of its floors with intervals apart.",
    ...attacks.map((attack) => standingTable(of(attack))),
    "## Published orders, one by one",
    `Every two defenses that a table tells apart by at least ${percent(LEAST_GAP)} attack accuracy, each pair in those two of our settings ` +
      "whose natural accuracies lie nearest to each other. _No order shown_: the interval of the difference holds zero.",
    ...attacks.map((attack) => orderTable(of(attack))),
    "## Sources",
    sources(tables),
    "## What was tried to find the cause",
    ...causes(standings, lossTrial),
  ].join("\n\n")}\n`;
}

function summaryOf({ attack, standings, tables }: UnderAttack): string {
  const orders = tables.flatMap((table) => ordersOf(table, standings));
  const counts = VERDICTS.map((verdict) => `${orders.filter((one) => one.verdict === verdict).length} ${verdict}`);
  const reversed = orders.filter(({ verdict }) => verdict === "other order");
  const named = [...new Set(reversed.map(({ less, more }) => `${less.defense} before ${more.defense}`))];
  return (
    `**${attack}.** Of ${orders.length} published orders of two defenses: ${counts.join(", ")}.` +
    (named.length === 0 ? "" : ` Published and found the other way round: ${named.join("; ")}.`)
  );
}

function standingTable({ attack, standings, tables }: UnderAttack): string {
  const undefended = undefendedOf(standings);
  const rows = standings.map(({ defense, condition }) => {
    const pair = undefended && overCommonSeeds(condition, undefended);
    const against = (read: (one: Condition) => Condition["attackAccuracy"]) =>
      pair === undefined || condition.undefended ? "–" : points(differenceOf(read(pair.more), read(pair.less)));
    return [
      condition.label,
      String(condition.cells.length),
      percentWithInterval(condition.naturalAccuracy, 1),
      against((one) => one.naturalAccuracy),
      `${percentWithInterval(condition.attackAccuracy, 1)}${beatsFloors(condition) ? "" : " ≈"}`,
      against((one) => one.attackAccuracy),
      pair === undefined || condition.undefended
        ? "–"
        : percent(pair.less.attackAccuracy.value / pair.more.attackAccuracy.value),
      publishedShare(defense, tables),
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
  if (shares.length === 0 || defense === "none") return "–";
  const [least, most] = [percent(Math.min(...shares)), percent(Math.max(...shares))];
  return least === most ? least : `${least} to ${most}`;
}

function orderTable({ attack, standings, tables }: UnderAttack): string {
  const rows = tables.flatMap((table) => ordersOf(table, standings).map((order) => orderRow(order, table.number)));
  const titles = ["source", "published to leak less", "than", `${attack} here`, "change, points", "natural", ""];
  return markdownTable(titles, rows);
}

function orderRow({ less, more, here, attack, natural, verdict }: OrderHere, source: number): string[] {
  return [
    String(source),
    `${less.defense} (${percent(less.attack, 1)})`,
    `${more.defense} (${percent(more.attack, 1)})`,
    `${here.less.label}: ${percent(here.less.attackAccuracy.value, 1)}; ${here.more.label}: ${percent(here.more.attackAccuracy.value, 1)}`,
    points(attack),
    points(natural),
    `**${verdict}**`,
  ];
}

function sources(tables: readonly PublishedTable[]): string {
  return tables
    .map(({ source, setting, note }, i) => `${i + 1}. ${source}: ${setting}${note === undefined ? "" : `; ${note}`}.`)
    .join("\n");
}

function causes(standings: ReadonlyMap<string, readonly Standing[]>, { first, second }: LossTrial): string[] {
  const own = standings.get(first) ?? [];
  const other = standings.get(second) ?? [];
  const both = underBoth(own, other);
  return [
    "**Is it the papers' setting?** Weights and perturbations were chosen for other images, networks and numbers of classes. Each defense's " +
      `settings under ${first}, from the one that keeps most natural accuracy to the next:`,
    markdownTable(
      ["from", "to", "attack accuracy, points", "natural accuracy, points"],
      strengthened(own).map(({ weaker, stronger, attack, natural }) => [
        weaker.label,
        stronger.label,
        points(attack),
        points(natural),
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
  const apartFrom = both.filter(({ first, second }) => second.high < first.low || first.high < second.low);
  if (apartFrom.length === 0) return "No setting's two intervals are apart: the loss does not explain the orders.";
  return `Intervals are apart for ${apartFrom.map(({ label }) => label).join("; ")}.`;
}
