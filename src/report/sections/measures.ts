import { metrics } from "../../metrics/index.ts";
import type { Metric } from "../../metrics/metric.ts";
import type { Measured } from "../../study/result.ts";
import type { Comparison, Condition } from "../conditions.ts";
import { type Html, type HtmlPart, html } from "../escape.ts";
import { count, percent, percentInterval, significant } from "../numbers.ts";
import { colorKey, table } from "../parts.ts";

/** What the table of every cell shows already, or shows in another unit. */
const SHOWN_ABOVE = new Set(["natural-accuracy", "attack-accuracy", "attack-accuracy-top5", "knn-distance-l2"]);

const further: readonly Metric[] = metrics.filter(({ kind }) => !SHOWN_ABOVE.has(kind));

/** Units that a reader does not miss. */
const PLAIN = new Set(["rate", "probability", "index", "ratio"]);

const isShare = ({ unit }: Metric) => unit === "rate" || unit === "probability";

function number(metric: Metric, measured: Measured): Html {
  const { value, low, high } = measured;
  return isShare(metric)
    ? html`${percent(value, 1)}<small>${percentInterval(measured, 1)}</small>`
    : html`${significant(value)}<small>[${significant(low)},\u00a0${significant(high)}]</small>`;
}

/** Whether a condition leaks less or more than the undefended one by a metric, with intervals apart. */
export function leakChange(
  { direction }: Pick<Metric, "direction">,
  measured: Measured,
  undefended: Measured | undefined,
): "less" | "more" | undefined {
  if (undefended === undefined) return undefined;
  const [lower, higher] = [measured.high < undefended.low, measured.low > undefended.high];
  if (!lower && !higher) return undefined;
  return lower === (direction === "higher") ? "less" : "more";
}

const MARKS = {
  less: html`<span class="mark good" title="leaks less than without a defense, intervals apart"><span aria-hidden="true">▼</span><span class="unseen">leaks less than without a defense</span></span>`,
  more: html`<span class="mark bad" title="leaks more than without a defense, intervals apart"><span aria-hidden="true">▲</span><span class="unseen">leaks more than without a defense</span></span>`,
} as const;

function cellOf(metric: Metric, condition: Condition, undefended: Condition | undefined): HtmlPart {
  const measured = condition.metrics.get(metric.kind);
  if (measured === undefined) return "–";
  const change = condition.undefended ? undefined : leakChange(metric, measured, undefended?.metrics.get(metric.kind));
  return html`${change && MARKS[change]}${number(metric, measured)}`;
}

function comparisonBlock({ title, all, undefended }: Comparison): Html {
  const shown = further.filter(({ kind }) => all.some((condition) => condition.metrics.has(kind)));
  if (shown.length === 0) return html``;
  const real = all.find(({ realImages }) => realImages.size > 0)?.realImages;
  const rows = shown.map((metric) => {
    const reached = real?.get(metric.kind);
    return {
      cells: [
        html`${metric.name}${PLAIN.has(metric.unit) ? "" : html` <small>${metric.unit}</small>`}`,
        metric.direction === "higher" ? "high" : "low",
        ...all.map((condition) => cellOf(metric, condition, undefended)),
        ...(real === undefined ? [] : [reached === undefined ? "–" : number(metric, reached)]),
        count(Math.max(...all.map((condition) => condition.metrics.get(metric.kind)?.n ?? 0))),
      ],
    };
  });
  const columns = [
    { name: "metric" },
    { name: "leaks where" },
    ...all.map(({ label, labelIndex }) => ({ name: html`${colorKey(labelIndex)}${label}`, numeric: true })),
    ...(real === undefined ? [] : [{ name: "real images", numeric: true }]),
    { name: "n", numeric: true },
  ];
  return html`<h3>${title}</h3>
${table(`Further metrics of ${title}: value and 95 % interval`, columns, rows, "measures")}`;
}

/** Whether any condition has metrics beside those of the table of cells. */
export const hasMeasures = (conditions: readonly Condition[]) =>
  conditions.some((condition) => further.some(({ kind }) => condition.metrics.has(kind)));

/** The metrics beside attack accuracy and KNN distance, defenses side by side, with what real images reach. */
export function measuresSection(comparisons: readonly Comparison[]): Html {
  return html`<p>Other ways to ask what was recovered. “Leaks where” says which end of a metric means that more is recovered: with “high”, a lower number is more private. The column of real images has private test images in the place of reconstructions, so it shows what a metric can reach.</p>
<p class="note">${MARKS.less} leaks less than without a defense, ${MARKS.more} more; only where the intervals are apart. Many comparisons are made here, so single marks may be chance.</p>
${comparisons.map(comparisonBlock)}
<details><summary>What each metric is</summary><dl class="terms">${further.map(
    ({ name, summary, paper }) =>
      html`<dt>${name}</dt><dd>${summary}.${paper === undefined ? "" : html` <span class="quiet">${paper}</span>`}</dd>`,
  )}</dl></details>`;
}
