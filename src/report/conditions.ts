import { metrics } from "../metrics/index.ts";
import { attackName, defenseName } from "../study/entry-labels.ts";
import type { CellResult, JudgesResult, Measured, Queries } from "../study/result.ts";
import { meanJudges } from "./judges.ts";
import { meanOverSeeds } from "./seeds.ts";

export { type Comparison, comparisonsOf, defenseOf } from "./comparisons.ts";

/** The defense name that stands for training without one. */
export const UNDEFENDED = "none";

/**
 * Whether a target is the control that defenses are held against: trained without one, from the same public weights as theirs. A target from
 * scratch differs from them in these as well, so it is a condition of its own.
 */
export function isControl({ defense, start }: Pick<CellResult, "defense" | "start">): boolean {
  return defense === UNDEFENDED && start !== "scratch";
}

/** One point of the study with its seeds put together: a model under one defense against one attack. */
export interface Condition {
  readonly model: string;
  /** What the study calls the defense. */
  readonly defense: string;
  readonly boundary: string | null;
  /** What the study calls the attack. */
  readonly attack: string;
  /** What a reader sees: the defense's name; its boundary and model too where the name alone would be ambiguous. */
  readonly label: string;
  /** The place of `label` in the study's order, for colours. The undefended model is 0, defenses count from 1. */
  readonly labelIndex: number;
  /** The place of the attack in the study's order, for symbols. */
  readonly attackIndex: number;
  /** Whether it is the control: see `isControl`. */
  readonly undefended: boolean;
  /** One cell a seed. */
  readonly cells: readonly CellResult[];
  readonly trainableParameters: number;
  readonly frozenParameters: number;
  readonly naturalAccuracy: Measured;
  readonly attackAccuracy: Measured;
  readonly attackAccuracyTop5: Measured;
  readonly knnDistance: Measured;
  readonly floors: { readonly randomPrior: Measured; readonly initialSelection: Measured };
  /** What the attack asked of the target; a mean over seeds, undefined where it was not counted. */
  readonly queries: Queries | undefined;
  /** What it took: the mean time and the most memory of all seeds; undefined where that was not written down. */
  readonly cost: CellResult["cost"] | undefined;
  readonly evaluationModel: { readonly kind: string; readonly naturalAccuracy: Measured };
  /** Metrics by kind that every cell has. */
  readonly metrics: ReadonlyMap<string, Measured>;
  /** The same metrics of real images in the place of reconstructions. */
  readonly realImages: ReadonlyMap<string, Measured>;
  /** What several judges say; undefined where there was one. */
  readonly judges: JudgesResult | undefined;
}

const RATE = [0, 1] as const;
const DISTANCE = [0, Number.POSITIVE_INFINITY] as const;

/** Cells of the same setting and different seeds together. A repeated seed is another setting, whatever it is called. */
function groupBySetting(cells: readonly CellResult[]): readonly (readonly CellResult[])[] {
  const groups: CellResult[][] = [];
  for (const cell of cells) {
    const group = groups.find(
      (members) =>
        members[0] !== undefined &&
        settingKey(members[0]) === settingKey(cell) &&
        members.every((member) => member.seed !== cell.seed),
    );
    if (group === undefined) groups.push([cell]);
    else group.push(cell);
  }
  return groups.map((group) => group.toSorted((a, b) => a.seed - b.seed));
}

const settingKey = (cell: CellResult) =>
  JSON.stringify([cell.model, defenseName(cell), cell.boundary, attackName(cell), cell.start]);

/** Training without a defense in words, from scratch where that is so; what has a name of its own goes by it. */
function wordsFor(cell: CellResult): string {
  const name = defenseName(cell);
  if (isControl(cell)) return name === UNDEFENDED ? "no defense" : name;
  return cell.defense === UNDEFENDED && /^none( \d+)?$/.test(name) ? "no defense, from scratch" : name;
}

const distinct = <T>(values: Iterable<T>): readonly T[] => [...new Set(values)];

/** Puts a study's cells together by setting, in the study's order. */
export function conditionsOf(cells: readonly CellResult[]): readonly Condition[] {
  const models = distinct(cells.map((cell) => cell.model));
  const attacks = distinct(cells.map(attackName));
  const boundariesOf = (defense: string) =>
    distinct(cells.filter((cell) => defenseName(cell) === defense).map((cell) => cell.boundary)).length;
  const plainLabel = (cell: CellResult) =>
    [
      models.length > 1 ? cell.model : "",
      wordsFor(cell),
      boundariesOf(defenseName(cell)) > 1 ? (cell.boundary ?? "nothing frozen") : "",
    ]
      .filter((word) => word !== "")
      .join(" · ");

  const seen = new Map<string, number>();
  const labelled = groupBySetting(cells).flatMap((group) => {
    const first = group[0];
    if (first === undefined) return [];
    const times = (seen.get(settingKey(first)) ?? 0) + 1;
    seen.set(settingKey(first), times);
    return [{ group, first, label: times > 1 ? `${plainLabel(first)} (${times})` : plainLabel(first) }];
  });
  const undefendedLabels = distinct(labelled.filter(({ first }) => isControl(first)).map((g) => g.label));
  const defendedLabels = distinct(labelled.filter(({ first }) => !isControl(first)).map((g) => g.label));
  // The undefended model of a study with one model always has colour 0, so that the colour means the same in every report.
  const order = [...(undefendedLabels.length === 0 ? ["no defense"] : undefendedLabels), ...defendedLabels];

  return labelled.map(({ group, first, label }) => {
    const mean = (read: (cell: CellResult) => Measured, limits: readonly [number, number] = RATE) =>
      meanOverSeeds(group.map(read), limits);
    return {
      model: first.model,
      defense: defenseName(first),
      boundary: first.boundary,
      attack: attackName(first),
      label,
      labelIndex: order.indexOf(label),
      attackIndex: attacks.indexOf(attackName(first)),
      undefended: isControl(first),
      cells: group,
      trainableParameters: first.trainableParameters,
      frozenParameters: first.frozenParameters,
      naturalAccuracy: mean((cell) => cell.naturalAccuracy),
      attackAccuracy: mean((cell) => cell.attackAccuracy),
      attackAccuracyTop5: mean((cell) => cell.attackAccuracyTop5),
      knnDistance: mean((cell) => cell.knnDistance, DISTANCE),
      floors: {
        randomPrior: mean((cell) => cell.floors.randomPrior),
        initialSelection: mean((cell) => cell.floors.initialSelection),
      },
      queries: meanQueries(group),
      cost: costOver(group),
      evaluationModel: {
        kind: first.evaluationModel.kind,
        naturalAccuracy: mean((cell) => cell.evaluationModel.naturalAccuracy),
      },
      metrics: meanMetrics(group.map((cell) => cell.metrics)),
      realImages: meanMetrics(group.map((cell) => cell.realImages)),
      judges: meanJudges(group.map((cell) => cell.judges)),
    };
  });
}

function costOver(group: readonly CellResult[]): CellResult["cost"] | undefined {
  const costs = group.flatMap(({ cost }) => cost ?? []);
  if (costs.length < group.length) return undefined;
  const peaks = costs.flatMap(({ peakMemory }) => peakMemory ?? []);
  return {
    seconds: costs.reduce((sum, { seconds }) => sum + seconds, 0) / costs.length,
    ...(peaks.length > 0 && { peakMemory: Math.max(...peaks) }),
  };
}

/** Means over seeds of the metrics that every seed has. */
function meanMetrics(seeds: readonly (CellResult["metrics"] | undefined)[]): ReadonlyMap<string, Measured> {
  return new Map(
    metrics.flatMap(({ kind, range }) => {
      const values = seeds.flatMap((measured) => measured?.[kind] ?? []);
      return values.length < seeds.length ? [] : [[kind, meanOverSeeds(values, range)] as const];
    }),
  );
}

function meanQueries(group: readonly CellResult[]): Queries | undefined {
  const counts = group.flatMap(({ queries }) => queries ?? []);
  if (counts.length < group.length) return undefined;
  const mean = (read: (queries: Queries) => number) =>
    Math.round(counts.reduce((sum, queries) => sum + read(queries), 0) / counts.length);
  return { images: mean(({ images }) => images), gradients: mean(({ gradients }) => gradients) };
}
