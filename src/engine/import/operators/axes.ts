import { constant, type Value } from "../../graph.ts";
import { concat, flip, gather, reshape, slice, transpose } from "../../ops/movement.ts";
import { sameShape } from "../../shape.ts";
import { indexTensor } from "../../tensor.ts";

/** Axes in another order; nothing where they stay. */
export function reorder(x: Value, order: readonly number[]): Value {
  return order.every((axis, i) => axis === i) ? x : transpose(x, order);
}

/** The order that brings an axis to a place, and the one that brings it back. */
function moving(rank: number, axis: number, to: number): { there: number[]; back: number[] } {
  const there = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis);
  there.splice(to, 0, axis);
  return { there, back: there.map((_, i) => there.indexOf(i)) };
}

/** Applies a function that works along the last axis, and keeps the rank, along another one. */
export function alongLast(x: Value, axis: number, f: (x: Value) => Value): Value {
  const { there, back } = moving(x.shape.length, axis, x.shape.length - 1);
  return reorder(f(reorder(x, there)), back);
}

/** Applies a function that works along the first axis, and keeps the rank, along another one. */
export function alongFirst(x: Value, axis: number, f: (x: Value) => Value): Value {
  const { there, back } = moving(x.shape.length, axis, 0);
  return reorder(f(reorder(x, there)), back);
}

/** Elements of an axis by their places: a range where the places are one, a look-up otherwise. */
export function take(x: Value, axis: number, places: readonly number[]): Value {
  const bad = places.find((p) => !Number.isInteger(p) || p < 0 || p >= x.shape[axis]!);
  if (bad !== undefined)
    throw new RangeError(`place ${bad} does not exist along axis ${axis} of length ${x.shape[axis]}`);
  const first = places[0] ?? 0;
  const step = places.length > 1 ? places[1]! - first : 1;
  if (step !== 0 && places.every((p, i) => p === first + i * step)) {
    const [low, high] = step > 0 ? [first, places.at(-1) ?? first - 1] : [places.at(-1)!, first];
    const ranged = slice(
      x,
      x.shape.map((_, i) => (i === axis ? low : 0)),
      x.shape.map((n, i) => (i === axis ? high + 1 : n)),
      x.shape.map((_, i) => (i === axis ? Math.abs(step) : 1)),
    );
    return step > 0 ? ranged : flip(ranged, [axis]);
  }
  const indices = constant(indexTensor(places, [places.length]));
  return alongFirst(x, axis, (rows) => gather(rows, indices));
}

/** Values one after the other, nothing where there is but one. */
export function joined(values: readonly Value[], axis: number): Value {
  return values.length === 1 ? values[0]! : concat(values, axis);
}

/** The value in another shape, of as many elements. */
export function reshaped(x: Value, shape: readonly number[]): Value {
  return sameShape(x.shape, shape) ? x : reshape(x, shape);
}
