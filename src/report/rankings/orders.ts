import { type Condition, conditionsOf } from "../conditions.ts";
import { type Difference, differenceOf } from "../difference.ts";
import type { PublishedRow, PublishedTable } from "./published.ts";
import type { Standing } from "./standings.ts";

/** Attack accuracies that are nearer than this in a table say nothing of an order. */
export const LEAST_GAP = 0.05;

/** What is found here of two defenses whose order was published. */
export type OrderVerdict = "same order" | "other order" | "no order shown";

/** Two defenses that a table orders, and how they stand here. */
export interface OrderHere {
  /** Leaks less in the table. */
  readonly less: PublishedRow;
  readonly more: PublishedRow;
  /** The two settings whose natural accuracies lie nearest to each other, over the seeds that both have. */
  readonly here: { readonly less: Condition; readonly more: Condition };
  /** `less` minus `more`. */
  readonly attack: Difference;
  readonly natural: Difference;
  readonly verdict: OrderVerdict;
}

/** Every pair of defenses that the table orders and that stand here; the undefended model, which every setting is held against, aside. */
export function ordersOf(table: PublishedTable, standings: readonly Standing[]): readonly OrderHere[] {
  const rows = table.rows.filter(({ defense }) => defense !== "none").toSorted((a, b) => a.attack - b.attack);
  return rows.flatMap((less, i) =>
    rows
      .slice(i + 1)
      .filter((more) => more.attack - less.attack >= LEAST_GAP)
      .flatMap((more) => {
        const here = nearest(settingsOf(standings, less), settingsOf(standings, more));
        if (here === undefined) return [];
        const attack = differenceOf(here.more.attackAccuracy, here.less.attackAccuracy);
        const natural = differenceOf(here.more.naturalAccuracy, here.less.naturalAccuracy);
        return [{ less, more, here, attack, natural, verdict: verdictOf(attack) }];
      }),
  );
}

const settingsOf = (standings: readonly Standing[], { defense }: PublishedRow) =>
  standings.filter((standing) => standing.defense === defense).map(({ condition }) => condition);

function verdictOf({ low, high }: Difference): OrderVerdict {
  if (high < 0) return "same order";
  return low > 0 ? "other order" : "no order shown";
}

function nearest(
  less: readonly Condition[],
  more: readonly Condition[],
): { readonly less: Condition; readonly more: Condition } | undefined {
  const pairs = less.flatMap((a) => more.flatMap((b) => overCommonSeeds(a, b) ?? []));
  const distance = (pair: (typeof pairs)[number]) =>
    Math.abs(pair.less.naturalAccuracy.value - pair.more.naturalAccuracy.value);
  return pairs.toSorted((a, b) => distance(a) - distance(b))[0];
}

/** Other seeds are other targets: what one of the two was not measured on says nothing of their difference. */
export function overCommonSeeds(
  less: Condition,
  more: Condition,
): { readonly less: Condition; readonly more: Condition } | undefined {
  const common = (own: Condition, other: Condition) => {
    const cells = own.cells.filter(({ seed }) => other.cells.some((cell) => cell.seed === seed));
    if (cells.length === own.cells.length) return own;
    const [condition] = conditionsOf(cells);
    return condition && { ...condition, label: own.label };
  };
  const [a, b] = [common(less, more), common(more, less)];
  return a && b && { less: a, more: b };
}
