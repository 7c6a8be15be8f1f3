import { metrics } from "../metrics/index.ts";
import type { CellResult, Measured } from "./result.ts";
import { suggest } from "./suggest.ts";

/** A number of a cell's result under a name that stays the same: what gates and comparisons speak of. */
export interface NamedMetric {
  readonly name: string;
  readonly summary: string;
  /** The least and the greatest value that there can be; shares have 0 and 1. */
  readonly range: readonly [number, number];
  /** Which values are better for the owner of the model; undefined where a number only says how something was done. */
  readonly better?: "low" | "high";
  /** Whether the number comes from what the attack found, and so means nothing where the attack does not work. */
  readonly fromAttack: boolean;
  /** The number with its 95 % interval; undefined where the result lacks it or it is not finite. */
  read(cell: CellResult): Measured | undefined;
}

const SHARE = [0, 1] as const;
const POSITIVE = [0, Number.POSITIVE_INFINITY] as const;

/** Counted or computed, so without an interval. */
const exact = (value: number | undefined): Measured | undefined =>
  value === undefined ? undefined : { value, n: 1, low: value, high: value };

/** A result is JSON: what was not finite is null there, whatever its type says. */
const whole = (measured: Measured | undefined): Measured | undefined =>
  measured && [measured.value, measured.low, measured.high].every(Number.isFinite) ? measured : undefined;

function named(metric: NamedMetric): NamedMetric {
  return { ...metric, read: (cell) => whole(metric.read(cell)) };
}

/** Metrics that have short names of their own. */
const SHORT = new Set(["natural-accuracy", "attack-accuracy", "attack-accuracy-top5", "knn-distance"]);

const main: readonly NamedMetric[] = [
  {
    name: "natural",
    summary: "the target's accuracy on private test images",
    range: SHARE,
    better: "high",
    fromAttack: false,
    read: (cell) => cell.naturalAccuracy,
  },
  {
    name: "attack.top1",
    summary: "share of reconstructions in which the evaluation model sees the attacked identity",
    range: SHARE,
    better: "low",
    fromAttack: true,
    read: (cell) => cell.attackAccuracy,
  },
  {
    name: "attack.top5",
    summary: "share of reconstructions with the attacked identity among the evaluation model's first five",
    range: SHARE,
    better: "low",
    fromAttack: true,
    read: (cell) => cell.attackAccuracyTop5,
  },
  {
    name: "attack.knn",
    summary: "squared L2 distance of reconstructions to the nearest private image in the evaluation model's features",
    range: POSITIVE,
    better: "high",
    fromAttack: true,
    read: (cell) => cell.knnDistance,
  },
  {
    name: "floor.random",
    summary: "attack accuracy of random samples of the prior",
    range: SHARE,
    fromAttack: false,
    read: (cell) => cell.floors.randomPrior,
  },
  {
    name: "floor.selection",
    summary: "attack accuracy of the best initial latents, without optimisation",
    range: SHARE,
    fromAttack: false,
    read: (cell) => cell.floors.initialSelection,
  },
  {
    name: "evaluation.natural",
    summary: "the evaluation model's own accuracy on private test images",
    range: SHARE,
    fromAttack: false,
    read: (cell) => cell.evaluationModel.naturalAccuracy,
  },
  {
    name: "judges.unanimous",
    summary: "share of reconstructions in which every judge sees the attacked identity",
    range: SHARE,
    better: "low",
    fromAttack: true,
    read: (cell) => cell.judges?.unanimous,
  },
  {
    name: "judges.agreement",
    summary: "share of reconstructions of which all judges say the same",
    range: SHARE,
    fromAttack: true,
    read: (cell) => cell.judges?.agreement,
  },
  {
    name: "judges.unconfirmed",
    summary: "of what the evaluation model recognises, the share that not every other judge does",
    range: SHARE,
    fromAttack: true,
    read: (cell) => cell.judges?.unconfirmed,
  },
  {
    name: "judges.single",
    summary: "of what any judge recognises, the share that only one does",
    range: SHARE,
    fromAttack: true,
    read: (cell) => cell.judges?.single,
  },
  {
    name: "privacy.epsilon",
    summary: "ε of the target's training, where a defense gives that guarantee",
    range: POSITIVE,
    better: "low",
    fromAttack: false,
    read: (cell) => exact(cell.privacy?.epsilon),
  },
  {
    name: "privacy.delta",
    summary: "δ of the target's training, where a defense gives that guarantee",
    range: SHARE,
    better: "low",
    fromAttack: false,
    read: (cell) => exact(cell.privacy?.delta),
  },
  {
    name: "parameters.trainable",
    summary: "parameters of the target that saw private images",
    range: POSITIVE,
    fromAttack: false,
    read: (cell) => exact(cell.trainableParameters),
  },
  {
    name: "parameters.frozen",
    summary: "parameters of the target that stayed as they were pre-trained",
    range: POSITIVE,
    fromAttack: false,
    read: (cell) => exact(cell.frozenParameters),
  },
  {
    name: "queries.images",
    summary: "images that the attack sent through the target",
    range: POSITIVE,
    fromAttack: false,
    read: (cell) => exact(cell.queries?.images),
  },
  {
    name: "queries.gradients",
    summary: "images of which the attack got gradients from the target",
    range: POSITIVE,
    fromAttack: false,
    read: (cell) => exact(cell.queries?.gradients),
  },
];

const further = metrics
  .filter(({ kind }) => !SHORT.has(kind))
  .map(
    ({ kind, summary, range, direction }): NamedMetric => ({
      name: `metric.${kind}`,
      summary,
      range,
      better: direction === "higher" ? "low" : "high",
      fromAttack: true,
      read: (cell) => cell.metrics?.[kind],
    }),
  );

/** Every name that does not depend on a study's data or judges. */
export const namedMetrics: readonly NamedMetric[] = [...main, ...further].map(named);

const slug = (name: string) => name.replaceAll(/\s+/g, "-");

function attributeMetric(attribute: string, kind?: "number" | "category"): NamedMetric {
  return named({
    name: `attribute.${attribute}`,
    summary: `how well ${attribute} is read from reconstructions: an accuracy, or the mean absolute error of a number`,
    range: kind === "category" ? SHARE : POSITIVE,
    ...(kind !== undefined && { better: kind === "category" ? "low" : "high" }),
    fromAttack: true,
    read: (cell) => cell.attributeRecovery.find(({ name }) => slug(name) === attribute)?.reconstruction,
  });
}

function judgeMetric(judge: string): NamedMetric {
  return named({
    name: `judge.${judge}`,
    summary: `share of reconstructions in which ${judge} sees the attacked identity`,
    range: SHARE,
    better: "low",
    fromAttack: true,
    read: (cell) => cell.judges?.judges.find(({ name }) => slug(name) === judge)?.attackAccuracy,
  });
}

/** Names that depend on what a study's data know, and on its judges; spaces in them are written as hyphens. */
export const METRIC_FAMILIES = [
  {
    prefix: "attribute.",
    example: "attribute.hair",
    summary: "how well an attribute is read from reconstructions: an accuracy, or the mean absolute error of a number",
    make: (rest: string) => attributeMetric(rest),
  },
  {
    prefix: "judge.",
    example: "judge.resnet18",
    summary: "share of reconstructions in which that judge sees the attacked identity",
    make: judgeMetric,
  },
] as const;

/** The metric of that name, or undefined where there is none. A name of a family is one whether or not a result has it. */
export function metricNamed(name: string): NamedMetric | undefined {
  const family = METRIC_FAMILIES.find(({ prefix }) => name.startsWith(prefix) && name.length > prefix.length);
  return namedMetrics.find((metric) => metric.name === name) ?? family?.make(name.slice(family.prefix.length));
}

/** The metrics that any of the cells has, in a fixed order. */
export function metricsIn(cells: readonly CellResult[]): readonly NamedMetric[] {
  const attributes = new Map(
    cells.flatMap((cell) => cell.attributeRecovery.map(({ name, kind }) => [slug(name), kind] as const)),
  );
  const judges = new Set(cells.flatMap((cell) => (cell.judges?.judges ?? []).map(({ name }) => slug(name))));
  const all = [
    ...namedMetrics,
    ...[...attributes].map(([name, kind]) => attributeMetric(name, kind)),
    ...[...judges].map(judgeMetric),
  ];
  return all.filter((metric) => cells.some((cell) => metric.read(cell) !== undefined));
}

/** What is wrong with a bound on a metric, in words; undefined where nothing is. */
export function boundFault(name: string, limit: number): string | undefined {
  const metric = metricNamed(name);
  if (metric === undefined) {
    const names = namedMetrics.map((m) => m.name);
    const near = suggest(name, names);
    const hint = near === undefined ? "" : `; did you mean "${near}"?`;
    const families = METRIC_FAMILIES.map(({ prefix }) => `${prefix}<name>`);
    return `unknown metric "${name}"${hint} (metrics: ${[...names, ...families].join(", ")})`;
  }
  const [least, most] = metric.range;
  if (limit >= least && limit <= most) return undefined;
  const share = most === 1 && limit > 1 && limit <= 100 ? `; for ${limit} % write ${limit / 100}` : "";
  const where = Number.isFinite(most) ? `${least} … ${most}` : `≥ ${least}`;
  return `${name} is always ${where}, so a bound of ${limit} says nothing${share}`;
}
