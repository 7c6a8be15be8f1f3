import { broadcastShapes, type Shape, sizeOf } from "../../shape.ts";
import type { Call } from "../call.ts";
import { allocateHost, type HostTensor, type HostType, stridesOf } from "../host.ts";
import { MAX_FOLDED, shapeFault } from "../limits.ts";
import type { Fold, Folds } from "./fold.ts";

/** @throws UserError for a result that would be too large to compute on import. */
export function checkSize(c: Call, shape: Shape): Shape {
  const fault = shapeFault(shape, MAX_FOLDED);
  return fault === undefined ? shape : c.fail(`the result would have ${fault}`);
}

/** For each element of `to`, the place of the element of a tensor of shape `from` that is broadcast to it. */
export function broadcastPlaces(from: Shape, to: Shape): (at: number) => number {
  const lead = to.length - from.length;
  const [own, all] = [stridesOf(from), stridesOf(to)];
  return (at) => {
    let place = 0;
    for (let i = 0; i < from.length; i++) {
      if (from[i] !== 1) place += (Math.floor(at / all[lead + i]!) % to[lead + i]!) * own[i]!;
    }
    return place;
  };
}

/** A function of all inputs' elements, which broadcast. Whole results of whole numbers stay exact. */
function pointwise(f: (...x: number[]) => number, type?: HostType): Fold {
  return (c) => {
    const inputs = Array.from({ length: c.count }, (_, i) => c.known(i));
    const shape = inputs
      .map((t) => t.shape)
      .reduce((a, b) => broadcastShapes(a, b) ?? c.fail(`[${a}] and [${b}] do not broadcast`));
    const to = type ?? inputs.at(-1)!.type;
    const data = allocateHost(to, sizeOf(checkSize(c, shape)));
    const places = inputs.map((t) => broadcastPlaces(t.shape, shape));
    for (let at = 0; at < data.length; at++) data[at] = f(...inputs.map((t, k) => t.data[places[k]!(at)]!));
    return { type: to, shape, data };
  };
}

/** Division of whole numbers cuts off towards zero. */
const divide: Fold = (c) => pointwise(c.known(0).type === "int" ? (a, b) => Math.trunc(a! / b!) : (a, b) => a! / b!)(c);

const modulo: Fold = (c) =>
  pointwise(c.int("fmod", 0) === 1 ? (a, b) => a! % b! : (a, b) => a! - b! * Math.floor(a! / b!))(c);

/** Half to even. */
function roundHalf(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  return rest < 0.5 || (rest === 0.5 && down % 2 === 0) ? down : down + 1;
}

const REAL = [1, 10, 11, 16];
const BOOL = 9;

const cast: Fold = (c) => {
  const to = c.node.op === "CastLike" ? ({ float: 1, int: 7, bool: BOOL } as const)[c.known(1).type] : c.int("to");
  const x = c.known(0);
  const type: HostType = REAL.includes(to) ? "float" : to === BOOL ? "bool" : "int";
  const data = allocateHost(type, x.data.length);
  for (let i = 0; i < data.length; i++)
    data[i] = type === "int" ? Math.trunc(x.data[i]!) : type === "bool" ? Number(x.data[i] !== 0) : x.data[i]!;
  return { type, shape: x.shape, data };
};

const power: Fold = (c) => pointwise((a, b) => a! ** b!, c.known(0).type)(c);

/** Element by element. */
export const elementwise: Folds = {
  Abs: pointwise((x) => Math.abs(x!)),
  Add: pointwise((a, b) => a! + b!),
  And: pointwise((a, b) => a! & b!, "bool"),
  Cast: cast,
  CastLike: cast,
  Ceil: pointwise((x) => Math.ceil(x!)),
  Div: divide,
  Equal: pointwise((a, b) => Number(a === b), "bool"),
  Floor: pointwise((x) => Math.floor(x!)),
  Greater: pointwise((a, b) => Number(a! > b!), "bool"),
  GreaterOrEqual: pointwise((a, b) => Number(a! >= b!), "bool"),
  Identity: pointwise((x) => x!),
  Less: pointwise((a, b) => Number(a! < b!), "bool"),
  LessOrEqual: pointwise((a, b) => Number(a! <= b!), "bool"),
  Max: pointwise((...x) => Math.max(...x)),
  Min: pointwise((...x) => Math.min(...x)),
  Mod: modulo,
  Mul: pointwise((a, b) => a! * b!),
  Neg: pointwise((x) => -x!),
  Not: pointwise((x) => Number(!x), "bool"),
  Or: pointwise((a, b) => a! | b!, "bool"),
  Pow: power,
  Reciprocal: pointwise((x) => 1 / x!),
  Round: pointwise((x) => roundHalf(x!)),
  Sign: pointwise((x) => Math.sign(x!)),
  Sqrt: pointwise((x) => Math.sqrt(x!)),
  Sub: pointwise((a, b) => a! - b!),
  Where: pointwise((condition, a, b) => (condition ? a! : b!)),
  Xor: pointwise((a, b) => a! ^ b!, "bool"),
};

/** Sums, products and extremes of whole numbers, such as the number of elements behind an axis. */
function reduction(start: number, f: (sum: number, x: number) => number): Fold {
  return (c) => {
    const x: HostTensor = c.known(0);
    const rank = x.shape.length;
    const given = c.list("axes") ?? c.numbers(1) ?? [];
    const none = given.length === 0 && c.int("noop_with_empty_axes", 0) === 1;
    const axes = given.length === 0 && !none ? x.shape.map((_, i) => i) : given.map((a) => c.axis(a, rank));
    const kept = x.shape.map((n, i) => (axes.includes(i) ? 1 : n));
    const data = allocateHost(x.type, sizeOf(kept)).fill(start);
    const place = broadcastPlaces(kept, x.shape);
    for (let i = 0; i < x.data.length; i++) data[place(i)] = f(data[place(i)]!, x.data[i]!);
    const shape = c.int("keepdims", 1) === 1 ? kept : kept.filter((_, i) => !axes.includes(i));
    return { type: x.type, shape, data };
  };
}

/** Reductions. */
export const reductions: Folds = {
  ReduceMax: reduction(Number.NEGATIVE_INFINITY, Math.max),
  ReduceMin: reduction(Number.POSITIVE_INFINITY, Math.min),
  ReduceProd: reduction(1, (a, b) => a * b),
  ReduceSum: reduction(0, (a, b) => a + b),
};
