import { type AreaBetween, tradeOffRatio } from "../../metrics/trade-off.ts";
import { beatsFloors } from "../../study/floors.ts";
import type { Comparison } from "../conditions.ts";
import { equalUtility } from "../equal-utility.ts";
import { type Html, type HtmlPart, html } from "../escape.ts";
import { fixed, percent, significant } from "../numbers.ts";
import { colorKey, table } from "../parts.ts";

const points = (share: number) => fixed(share * 100, 1);

/** Δ with its interval, or why there is none. */
function ratio({ undefended }: Comparison, defended: Comparison["defended"][number]): HtmlPart {
  const found = undefended && tradeOffRatio(undefended, defended);
  if (found === undefined) return html`–<small>natural accuracy does not fall</small>`;
  const { value, interval } = found;
  return html`${significant(value)}<small>${
    interval === undefined ? "the fall may be none" : `[${significant(interval[0])},\u00a0${significant(interval[1])}]`
  }</small>`;
}

/** A difference between two curves, in points. */
function gap(area: AreaBetween | undefined): HtmlPart {
  if (area === undefined) return "–";
  const { value, low, high } = area.difference;
  return html`${points(value)}<small>[${points(low)},\u00a0${points(high)}]</small>`;
}

/**
 * What each defense costs for what it saves, and defenses against each other at equal natural accuracy. An attack that does not beat its
 * floors without a defense shows nothing about defenses and is left out; empty without any other.
 */
export function priceOfProtection(all: readonly Comparison[]): Html {
  const comparisons = all.filter(({ undefended }) => undefended !== undefined && beatsFloors(undefended));
  const rows = comparisons.flatMap((comparison) => {
    const { undefended, defended, title } = comparison;
    if (undefended === undefined) return [];
    return defended.map((condition) => ({
      cells: [
        html`${colorKey(condition.labelIndex)}${condition.label}`,
        title,
        points(undefended.attackAccuracy.value - condition.attackAccuracy.value),
        points(undefended.naturalAccuracy.value - condition.naturalAccuracy.value),
        ratio(comparison, condition),
      ],
    }));
  });
  if (rows.length === 0) return html``;
  const compared = comparisons.flatMap((comparison) =>
    equalUtility(comparison).map((pair) => ({ title: comparison.title, pair })),
  );
  const judges = [...new Set(compared.flatMap(({ pair }) => pair.others.map(({ judge }) => judge)))];
  const pairs = compared.map(({ title, pair: { first, second, area, others } }) => ({
    cells: [
      first,
      second,
      title,
      `${percent(area.from, 1)} to ${percent(area.to, 1)}`,
      gap(area),
      ...judges.map((name) => gap(others.find(({ judge }) => judge === name)?.area)),
    ],
  }));
  return html`<h3>What protection costs</h3>
<p>Δ is the points of attack accuracy that a defense takes away for each point of natural accuracy that it costs; higher is better, and a defense that costs nothing has none.${
    comparisons.length < all.length ? " Attacks that do not beat their floors without a defense are left out." : ""
  }</p>
${table(
  "Points gained and paid, and their ratio Δ with its 95 % interval",
  [
    { name: "defense" },
    { name: "attack" },
    { name: "attack accuracy falls by", numeric: true },
    { name: "natural accuracy falls by", numeric: true },
    { name: "Δ", numeric: true },
  ],
  rows,
)}
${
  pairs.length === 0
    ? ""
    : html`<p>Two defenses at equal natural accuracy: straight lines lead from the undefended model through each defense's settings, and the area between them is averaged over the natural accuracies that both reach. Below zero, the first leaks less.</p>
${table(
  "Attack accuracy of the first defense minus that of the second, in points, at equal natural accuracy",
  [
    { name: "first" },
    { name: "second" },
    { name: "attack" },
    { name: "natural accuracy" },
    { name: "difference", numeric: true },
    ...judges.map((name) => ({ name: `seen by ${name}`, numeric: true })),
  ],
  pairs,
)}`
}`;
}
