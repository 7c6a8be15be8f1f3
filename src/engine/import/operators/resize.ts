import { constant, type Value } from "../../graph.ts";
import { matmul } from "../../ops/linear.ts";
import { transpose } from "../../ops/movement.ts";
import { upsampleNearest } from "../../ops/pool.ts";
import { tensor } from "../../tensor.ts";
import type { Call } from "../call.ts";
import { MAX_FOLDED, shapeFault } from "../limits.ts";
import { alongLast, take } from "./axes.ts";
import type { Operators } from "./operator.ts";

/** One axis that changes its length; `scale` is what the file says, which rounding the length may have left behind. */
interface Axis {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
}

/** Where a new element lies among the old ones (ONNX's `coordinate_transformation_mode`). */
const COORDINATES: Readonly<Record<string, (i: number, axis: Axis) => number>> = {
  half_pixel: (i, { scale }) => (i + 0.5) / scale - 0.5,
  half_pixel_symmetric(i, { from, to, scale }) {
    const centre = from / 2;
    return centre * (1 - to / (scale * from)) + (i + 0.5) / scale - 0.5;
  },
  pytorch_half_pixel: (i, { to, scale }) => (to > 1 ? (i + 0.5) / scale - 0.5 : 0),
  align_corners: (i, { from, to }) => (to > 1 ? (i * (from - 1)) / (to - 1) : 0),
  asymmetric: (i, { scale }) => i / scale,
  tf_half_pixel_for_nn: (i, { scale }) => (i + 0.5) / scale,
};

/** Which old element is the nearest one. */
const NEAREST: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** Keys' cubic convolution kernel (1981) with coefficient a: weights of the four neighbours at distance t behind the second. */
function cubic(t: number, a: number): number[] {
  const near = (d: number) => ((a + 2) * d - (a + 3)) * d * d + 1;
  const far = (d: number) => ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  return [far(1 + t), near(t), near(1 - t), far(2 - t)];
}

interface Rule {
  readonly mode: string;
  readonly coordinate: (i: number, axis: Axis) => number;
  readonly nearest: (x: number) => number;
  readonly cubicA: number;
  readonly excludeOutside: boolean;
}

/** Old elements and their weights that make up the new element i. */
function sourcesOf(rule: Rule, axis: Axis, i: number): { place: number; weight: number }[] {
  const x = rule.coordinate(i, axis);
  const within = (place: number) => Math.min(Math.max(place, 0), axis.from - 1);
  if (rule.mode === "nearest") return [{ place: within(rule.nearest(x)), weight: 1 }];
  if (rule.mode === "linear") {
    const low = Math.floor(within(x));
    const share = within(x) - low;
    return [
      { place: low, weight: 1 - share },
      { place: within(low + 1), weight: share },
    ];
  }
  const low = Math.floor(x);
  const raw = cubic(x - low, rule.cubicA).map((weight, k) => ({ at: low - 1 + k, weight }));
  const inside = rule.excludeOutside ? raw.filter(({ at }) => at >= 0 && at < axis.from) : raw;
  const total = inside.reduce((sum, { weight }) => sum + weight, 0);
  return inside.map(({ at, weight }) => ({ place: within(at), weight: rule.excludeOutside ? weight / total : weight }));
}

/** Resizing is linear along each axis: a product with a fixed matrix, or a choice of elements. */
function alongAxis(x: Value, at: number, axis: Axis, rule: Rule): Value {
  const sources = Array.from({ length: axis.to }, (_, i) => sourcesOf(rule, axis, i));
  if (rule.mode === "nearest")
    return take(
      x,
      at,
      sources.map(([only]) => only!.place),
    );
  const matrix = new Float32Array(axis.to * axis.from);
  for (const [i, list] of sources.entries())
    for (const { place, weight } of list) matrix[i * axis.from + place]! += weight;
  const weights = constant(tensor(matrix, [axis.to, axis.from]), `${rule.mode}.weights`);
  const rank = x.shape.length;
  if (rank > 1 && at === rank - 2) return matmul(weights, x);
  return alongLast(x, at, (rows) => matmul(rows, transpose(weights)));
}

/** Nearest-neighbour upsampling of height and width by one whole factor, which is an op of its own. */
function wholeFactor(axes: readonly Axis[], rule: Rule): number | undefined {
  const [n, c, h, w] = axes;
  if (axes.length !== 4 || rule.mode !== "nearest" || n!.from !== n!.to || c!.from !== c!.to) return undefined;
  const factor = h!.to / h!.from;
  const repeated = (axis: Axis) =>
    axis.to === factor * axis.from &&
    Array.from({ length: axis.to }, (_, i) => sourcesOf(rule, axis, i)[0]!.place).every(
      (p, i) => p === Math.floor(i / factor),
    );
  return Number.isInteger(factor) && [h!, w!].every(repeated) ? factor : undefined;
}

/** Every version of Resize, and Upsample before it. Scales and sizes must be known. */
function resize(c: Call): Value {
  const x = c.value(0);
  const rank = x.shape.length;
  const old = c.opset < 11;
  if (c.int("antialias", 0) === 1) c.fail("antialias is not supported");
  const only = c.list("axes")?.map((a) => c.axis(a, rank)) ?? x.shape.map((_, i) => i);
  const filled = <T>(list: readonly T[] | undefined, otherwise: (axis: number) => T): T[] | undefined => {
    if (list === undefined || list.length === 0) return undefined;
    if (list.length !== only.length) c.fail(`${list.length} scales or sizes for ${only.length} axes`);
    return x.shape.map((_, axis) => (only.includes(axis) ? list[only.indexOf(axis)]! : otherwise(axis)));
  };
  const scales = filled(old ? (c.list("scales") ?? c.numbers(1)) : c.numbers(2), () => 1);
  const sizes = filled(old ? undefined : c.numbers(3), (axis) => x.shape[axis]!);
  const axes = x.shape.map((from, i): Axis => {
    if (scales !== undefined) return { from, to: Math.floor(from * scales[i]!), scale: scales[i]! };
    const to = sizes?.[i] ?? c.fail("neither scales nor sizes are given");
    return { from, to, scale: to / from };
  });
  const policy = c.text("keep_aspect_ratio_policy", "stretch");
  const kept = policy === "stretch" || sizes === undefined ? axes : proportional(axes, only, policy);
  const fault = shapeFault(kept.map(({ to }) => to));
  if (fault !== undefined) c.fail(`the result would have ${fault}`);
  if (kept.some(({ from, to }) => from < 1 || to < 1 || from * to > MAX_FOLDED))
    c.fail(`[${x.shape}] cannot be resized to [${kept.map(({ to }) => to)}]`);
  const rule = ruleOf(c, old);
  const factor = wholeFactor(kept, rule);
  if (factor !== undefined) return upsampleNearest(x, factor);
  return kept.reduce(
    (y: Value, axis, at) => (axis.from === axis.to && axis.scale === 1 ? y : alongAxis(y, at, axis, rule)),
    x,
  );
}

/** Sizes as bounds: the image keeps its proportions and fills one of them. */
function proportional(axes: readonly Axis[], only: readonly number[], policy: string): Axis[] {
  const scales = only.map((i) => axes[i]!.scale);
  const scale = policy === "not_larger" ? Math.min(...scales) : Math.max(...scales);
  return axes.map((axis, i) =>
    only.includes(i) ? { from: axis.from, to: Math.round(scale * axis.from), scale } : axis,
  );
}

function ruleOf(c: Call, old: boolean): Rule {
  const chosen = <T>(table: Readonly<Record<string, T>>, attribute: string, otherwise: string): T => {
    const name = old ? otherwise : c.text(attribute, otherwise);
    return Object.hasOwn(table, name) ? table[name]! : c.fail(`${attribute} ${name} is not supported`);
  };
  const mode = c.text("mode", "nearest");
  if (!["nearest", "linear", "cubic"].includes(mode)) c.fail(`the mode ${mode} is not supported`);
  return {
    mode,
    coordinate: chosen(COORDINATES, "coordinate_transformation_mode", old ? "asymmetric" : "half_pixel"),
    nearest: chosen(NEAREST, "nearest_mode", old ? "floor" : "round_prefer_floor"),
    cubicA: c.float("cubic_coeff_a", -0.75),
    excludeOutside: c.int("exclude_outside", 0) === 1,
  };
}

/** Resizing. */
export const resizing: Operators = { Resize: resize, Upsample: resize };
