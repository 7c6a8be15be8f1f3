import { type Comparison, type Condition, defenseOf, UNDEFENDED } from "../conditions.ts";
import { points } from "../difference.ts";
import { FLOOR_MARK_LEGEND, floorMark } from "../floor-mark.ts";
import { markdownTable } from "../markdown-table.ts";
import { percent, percentWithInterval } from "../numbers.ts";
import { seedsInWords } from "../seeds-in-words.ts";
import { causes, type LossTrial } from "./causes.ts";
import { LEAST_GAP, type OrderHere, type OrderVerdict, ordersOf } from "./orders.ts";
import { pairOf } from "./pairs.ts";
import type { PublishedTable } from "./published.ts";

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
  readonly orders: readonly (OrderHere & { readonly source: number; readonly under: string })[];
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
    "_Left of the attack_ is attack accuracy on the defended model over that on the undefended one. _In papers_ is the same ratio, lowest to " +
      "highest over the tables under Sources; most were measured under PPA at 224×224. Rows with one seed are compared with the undefended model " +
      `of that seed. A defense is only as good as what it costs: natural accuracy stands beside it. ${FLOOR_MARK_LEGEND}`,
    ...under.map(standingTable),
    "## Published orders, one by one",
    `Every two defenses that a table tells apart by at least ${percent(LEAST_GAP)} attack accuracy, each pair in those two of our settings ` +
      "that share most seeds, and of those whose natural accuracies lie nearest to each other. A setting is left out if another setting of the " +
      "same defense leaks less at no shown cost in natural accuracy. _No order shown_: the interval of the difference holds zero.",
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
      mayBeHeld(table)
        ? ordersOf(table, standings).map((order) => ({ ...order, source: i + 1, under: table.attack }))
        : [],
    ),
  };
}

function summaryOf({ standings: { attack, all }, orders }: UnderAttack): string {
  const counts = VERDICTS.map((verdict) => `${orders.filter((one) => one.verdict === verdict).length} ${verdict}`);
  const reversed = orders.filter(({ verdict }) => verdict === "other order");
  const named = [...new Set(reversed.map(({ less, more }) => `${less.defense} before ${more.defense}`))];
  return (
    `**${attack}, ${seedsOver(all)}.** Of ${orders.length} published orders of two defenses: ${counts.join(", ")}.` +
    (named.length === 0 ? "" : ` Published and found the other way round: ${named.join("; ")}.`)
  );
}

/** `seeds 1, 2, 3`, where some rows have fewer of them with a word on that. */
function seedsOver(all: readonly Condition[]): string {
  const cells = all.flatMap((condition) => condition.cells);
  const seeds = seedsInWords(cells);
  const fewer = all.some((condition) => seedsInWords(condition.cells) !== seeds);
  return `${seeds.includes(",") ? "seeds" : "seed"} ${seeds}${fewer ? ", some settings fewer" : ""}`;
}

function standingTable({ standings: { attack, undefended, all }, tables }: UnderAttack): string {
  const rows = all.map((condition) => {
    const pair = undefended && !condition.undefended ? pairOf(condition, undefended) : undefined;
    return [
      condition.label,
      seedsInWords(condition.cells),
      percentWithInterval(condition.naturalAccuracy, 1),
      pair ? points(pair.natural) : "–",
      `${percentWithInterval(condition.attackAccuracy, 1)}${floorMark(condition)}`,
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
  const titles = [
    "source",
    "under",
    "published to leak less",
    "than",
    `${attack} here`,
    "change, points",
    "natural",
    "",
  ];
  const rows = orders.map(({ source, under, less, more, here: { first, second, attack: leak, natural }, verdict }) => [
    String(source),
    under,
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
    .map(
      ({ source, setting, attack, note }, i) =>
        `${i + 1}. ${source}: ${setting}, ${attack}${note === undefined ? "" : `; ${note}`}.`,
    )
    .join("\n");
}
