import { type Comparison, type Condition, UNDEFENDED } from "../conditions.ts";
import type { Difference } from "../difference.ts";
import { type Pair, pairOf } from "./pairs.ts";
import type { PublishedRow, PublishedTable } from "./published.ts";
import { settingsOf } from "./standings.ts";

/** Attack accuracies that are nearer than this in a table say nothing of an order. */
export const LEAST_GAP = 0.05;

/** What is found here of two defenses whose order was published. */
export type OrderVerdict = "same order" | "other order" | "no order shown";

/** Two defenses that a table orders, and how they stand here. */
export interface OrderHere {
  /** Leaks less in the table. */
  readonly less: PublishedRow;
  readonly more: PublishedRow;
  /** Of the settings worth taking two, that of `less` first, that share most seeds, and of those the nearest in natural accuracy. */
  readonly here: Pair;
  readonly verdict: OrderVerdict;
}

/** Every pair of defenses that the table orders and that stand here; the undefended model, which every setting is held against, aside. */
export function ordersOf(table: PublishedTable, standings: Comparison): readonly OrderHere[] {
  const rows = table.rows.filter(({ defense }) => defense !== UNDEFENDED).toSorted((a, b) => a.attack - b.attack);
  const settings = new Map(rows.map(({ defense }) => [defense, worthTaking(settingsOf(standings, defense))]));
  return rows.flatMap((less, i) =>
    rows
      .slice(i + 1)
      .filter((more) => more.attack - less.attack >= LEAST_GAP)
      .flatMap((more) => {
        const here = nearest(settings.get(less.defense)!, settings.get(more.defense)!);
        return here === undefined ? [] : [{ less, more, here, verdict: verdictOf(here.attack) }];
      }),
  );
}

function verdictOf({ low, high }: Difference): OrderVerdict {
  if (high < 0) return "same order";
  return low > 0 ? "other order" : "no order shown";
}

/**
 * Settings of a defense but for those that another of its settings beats: it leaks less, intervals apart from zero, and is not shown to cost
 * natural accuracy. Nobody who has the defense would take them, so they do not stand for it: TL-DMI that freezes a stem alone.
 */
function worthTaking(settings: readonly Condition[]): readonly Condition[] {
  const beats = (other: Condition, setting: Condition) => {
    const pair = pairOf(other, setting);
    return pair !== undefined && pair.attack.high < 0 && pair.natural.high >= 0;
  };
  return settings.filter((setting) => !settings.some((other) => other !== setting && beats(other, setting)));
}

/** One target is no match for three: a setting that was tried on one seed stands for its defense only where nothing else does. */
function nearest(less: readonly Condition[], more: readonly Condition[]): Pair | undefined {
  const pairs = less
    .flatMap((a) => more.flatMap((b) => pairOf(a, b) ?? []))
    .filter(({ natural }) => Number.isFinite(natural.value));
  const seeds = ({ first }: Pair) => first.cells.length;
  const apart = ({ natural }: Pair) => Math.abs(natural.value);
  return pairs.toSorted((a, b) => seeds(b) - seeds(a) || apart(a) - apart(b))[0];
}
