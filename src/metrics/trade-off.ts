import { random } from "../engine/random.ts";
import type { Measured } from "./measured.ts";

/** What a model is worth, and what an attack takes from it: a point of a utility–leakage plot. */
export interface Operating {
  readonly naturalAccuracy: Measured;
  readonly attackAccuracy: Measured;
}

/** A ratio with its 95 % interval; ends may be infinite, and without an interval nothing can be said of it. */
export interface Ratio {
  readonly value: number;
  readonly interval: readonly [low: number, high: number] | undefined;
}

const Z = 1.959963984540054;

/** The variance that a 95 % interval stands for, as if it were normal. */
const varianceOf = ({ low, high }: Measured) => ((high - low) / (2 * Z)) ** 2;

/**
 * RoLSS's Δ = (attack accuracy without − with defense) / (natural accuracy without − with defense): points of leakage that each point
 * of utility buys, higher is better (Koh et al., ECCV 2024). Undefined where natural accuracy does not fall, since then the price is
 * nothing and the ratio has no meaning.
 *
 * The interval is Fieller's, from the variances that the four intervals stand for, taken as independent; the accuracies are measured on
 * the same images, which makes it wider than it need be. There is none where the fall of natural accuracy may be zero.
 */
export function tradeOffRatio(undefended: Operating, defended: Operating): Ratio | undefined {
  const gain = undefended.attackAccuracy.value - defended.attackAccuracy.value;
  const price = undefended.naturalAccuracy.value - defended.naturalAccuracy.value;
  if (!(price > 0)) return undefined;
  const value = gain / price;
  const gainError = Z ** 2 * (varianceOf(undefended.attackAccuracy) + varianceOf(defended.attackAccuracy));
  const priceError = Z ** 2 * (varianceOf(undefended.naturalAccuracy) + varianceOf(defended.naturalAccuracy));
  const divisor = price ** 2 - priceError;
  if (divisor <= 0) return { value, interval: undefined };
  const root = Math.sqrt(gain ** 2 * priceError + price ** 2 * gainError - gainError * priceError);
  return { value, interval: [(gain * price - root) / divisor, (gain * price + root) / divisor] };
}

/** Two curves compared where both have points. */
export interface AreaBetween {
  /** The mean difference of attack accuracy, first curve minus second, at equal natural accuracy; negative: the first leaks less. */
  readonly difference: Measured;
  /** The natural accuracies that both curves reach. */
  readonly from: number;
  readonly to: number;
}

/** A point of a curve. */
export type CurvePoint = readonly [natural: number, attack: number];

/** Where a model lies on its curve. */
export const curvePoint = ({ naturalAccuracy, attackAccuracy }: Operating): CurvePoint => [
  naturalAccuracy.value,
  attackAccuracy.value,
];

/** Points by natural accuracy; those of the same one are averaged, so that a curve has one height everywhere. */
function curve(points: readonly CurvePoint[]): CurvePoint[] {
  const sorted = points.toSorted((a, b) => a[0] - b[0]);
  const groups: CurvePoint[][] = [];
  for (const point of sorted) {
    const last = groups.at(-1);
    if (last?.[0]?.[0] === point[0]) last.push(point);
    else groups.push([point]);
  }
  return groups.map((group) => [group[0]![0], group.reduce((sum, [, y]) => sum + y, 0) / group.length]);
}

/** The height of a curve of straight lines at `x`, which lies within it. */
function heightAt(points: readonly CurvePoint[], x: number): number {
  const after = points.findIndex(([at]) => at >= x);
  const [right, top] = points[after]!;
  if (right === x || after === 0) return top;
  const [left, bottom] = points[after - 1]!;
  return bottom + ((x - left) / (right - left)) * (top - bottom);
}

/** The mean of first − second over the natural accuracies of both; undefined where the curves share no range. */
export function meanGap(
  first: readonly CurvePoint[],
  second: readonly CurvePoint[],
): { readonly value: number; readonly from: number; readonly to: number } | undefined {
  const [a, b] = [curve(first), curve(second)];
  const from = Math.max(a[0]?.[0] ?? Number.NaN, b[0]?.[0] ?? Number.NaN);
  const to = Math.min(a.at(-1)?.[0] ?? Number.NaN, b.at(-1)?.[0] ?? Number.NaN);
  if (!(from < to)) return undefined;
  const inside = [...a, ...b].map(([x]) => x).filter((x) => x > from && x < to);
  const places = [from, ...new Set(inside.toSorted((x, y) => x - y)), to];
  const gap = (x: number) => heightAt(a, x) - heightAt(b, x);
  let area = 0;
  for (let i = 1; i < places.length; i++) {
    const [left, right] = [places[i - 1]!, places[i]!];
    area += ((gap(left) + gap(right)) / 2) * (right - left);
  }
  return { value: area / (to - from), from, to };
}

const DRAWS = 1000;

/**
 * The area between two utility–leakage curves over the natural accuracies that both reach, divided by that range: by how much one
 * leaks more than the other at equal utility, on average. A curve is drawn with straight lines through a defense's settings; the
 * undefended model belongs to every curve, as the setting of no strength.
 *
 * The interval comes from drawing each point from a normal distribution with the spread of its own intervals. Draws in which the curves
 * share no range are left out.
 * @returns undefined where the curves share no range, or hardly ever do when they are drawn
 */
export function areaBetween(
  first: readonly Operating[],
  second: readonly Operating[],
  seed: number,
): AreaBetween | undefined {
  const found = meanGap(first.map(curvePoint), second.map(curvePoint));
  if (found === undefined) return undefined;
  const rng = random(seed, "metrics", "area");
  // A point of both curves is one model: it is drawn once.
  const points = [...new Set([...first, ...second])];
  const draws = Array.from({ length: DRAWS }, () => {
    const drawn = new Map(
      points.map((point) => {
        const draw = (m: Measured) => m.value + Math.sqrt(varianceOf(m)) * rng.normal();
        return [point, [draw(point.naturalAccuracy), draw(point.attackAccuracy)] as const];
      }),
    );
    return meanGap(
      first.map((point) => drawn.get(point)!),
      second.map((point) => drawn.get(point)!),
    )?.value;
  });
  const sorted = draws.filter((value) => value !== undefined).sort((a, b) => a - b);
  if (sorted.length < DRAWS / 2) return undefined;
  const n = points.reduce((sum, { attackAccuracy }) => sum + attackAccuracy.n, 0);
  const end = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  const { value, from, to } = found;
  return { difference: { value, n, low: Math.min(value, end(0.025)), high: Math.max(value, end(0.975)) }, from, to };
}
