import { constant, defineOp, type Value } from "../graph.ts";
import { broadcastShapes, normalizeAxis, type Shape, sameShape, sizeOf } from "../shape.ts";
import { indexTensor } from "../tensor.ts";
import { equal, toFloat } from "./elementwise.ts";

const reshapeOp = defineOp<{ to: Shape }>("Reshape", {
  shape: ([x], { to }, fail) =>
    sizeOf(to) === sizeOf(x!.shape) && to.every(Number.isInteger)
      ? to
      : fail(`${to.join("×")} must hold as many elements`),
  grad: (g, y) => [reshape(g, y.inputs[0]!.shape)],
  // A leading axis that stays is written as 0, "as it comes", so that exported models take any batch.
  lower: (l, inputs, y, { to }) =>
    l.node("Reshape", [inputs[0]!, l.int64s(to[0] === y.inputs[0]!.shape[0] ? [0, ...to.slice(1)] : to)]),
});

/** The same elements in another shape; one axis may be −1, "whatever is left" */
export function reshape(x: Value, shape: Shape): Value {
  const known = shape.reduce((n, a) => (a === -1 ? n : n * a), 1);
  const to = shape.map((a) => (a === -1 ? sizeOf(x.shape) / known : a));
  return sameShape(to, x.shape) ? x : reshapeOp([x], { to });
}

/** [N, …] → [N, the rest in one axis] */
export function flatten(x: Value): Value {
  return reshape(x, [x.shape[0]!, sizeOf(x.shape.slice(1))]);
}

const transposeOp = defineOp<{ order: readonly number[] }>("Transpose", {
  shape: ([x], { order }, fail) =>
    order.length === x!.shape.length
      ? order.map((a) => x!.shape[a] ?? fail(`axis ${a} must exist`))
      : fail("one entry an axis"),
  grad: (g, _y, { order }) => [
    transpose(
      g,
      order.map((_, i) => order.indexOf(i)),
    ),
  ],
  lower: (l, inputs, _y, { order }) => l.node("Transpose", inputs, { perm: order }),
});

/** Axes in another order; without an order, the last two axes change places */
export function transpose(x: Value, order?: readonly number[]): Value {
  const rank = x.shape.length;
  return transposeOp([x], { order: order ?? [...Array(rank - 2).keys(), rank - 1, rank - 2] });
}

const broadcastOp = defineOp<{ to: Shape }>("Expand", {
  shape: ([x], { to }, fail) => {
    const both = broadcastShapes(x!.shape, to);
    return both !== undefined && sameShape(both, to) ? to : fail(`must broadcast to ${to.join("×")}`);
  },
  grad: (g) => [g],
  // An axis that stays is written as 1, "as it comes", so that exported models take any batch.
  lower: (l, inputs, y, { to }) => {
    const { shape } = y.inputs[0]!;
    return l.node("Expand", [
      inputs[0]!,
      l.int64s(to.map((n, i) => (n === shape[i - to.length + shape.length] ? 1 : n))),
    ]);
  },
});

/** x repeated along axes of length 1 (and new leading ones) up to the shape */
export function broadcastTo(x: Value, shape: Shape): Value {
  return sameShape(x.shape, shape) ? x : broadcastOp([x], { to: shape });
}

const padOp = defineOp<{ before: Shape; after: Shape; value: number }>("Pad", {
  shape: ([x], { before, after }, fail) =>
    before.length === x!.shape.length ? x!.shape.map((n, i) => n + before[i]! + after[i]!) : fail("one entry an axis"),
  grad: (g, y, { before }) => [
    slice(
      g,
      before,
      before.map((b, i) => b + y.inputs[0]!.shape[i]!),
    ),
  ],
  lower: (l, inputs, _y, { before, after, value }) =>
    l.node("Pad", [inputs[0]!, l.int64s([...before, ...after]), l.float(value)], { mode: "constant" }),
});

/** x with `before[i]` and `after[i]` elements of `value` put around axis i */
export function pad(x: Value, before: Shape, after: Shape, value = 0): Value {
  return [...before, ...after].every((n) => n === 0) ? x : padOp([x], { before, after, value });
}

/** x with `height` and `width` elements of `value` on each side of the last two axes */
export function pad2d(x: Value, height: number, width: number, value = 0): Value {
  const around = [...x.shape.slice(2).map(() => 0), height, width];
  return pad(x, around, around, value);
}

interface Range {
  readonly starts: Shape;
  readonly ends: Shape;
  readonly steps: Shape;
}

const sliceOp = defineOp<Range>("Slice", {
  shape: ([x], { starts, ends, steps }, fail) => {
    if (starts.some((s, i) => s < 0 || ends[i]! > x!.shape[i]! || s > ends[i]!))
      fail(`${starts} to ${ends} must lie within`);
    return x!.shape.map((_, i) => Math.ceil((ends[i]! - starts[i]!) / steps[i]!));
  },
  grad: (g, y, range) => [unslice(g, y.inputs[0]!.shape, range)],
  lower: (l, inputs, y, { starts, ends, steps }) => {
    const axes = y.shape
      .map((_, i) => i)
      .filter((i) => starts[i] !== 0 || ends[i] !== y.inputs[0]!.shape[i] || steps[i] !== 1);
    const of = (values: Shape) => l.int64s(axes.map((a) => values[a]!));
    return l.node("Slice", [inputs[0]!, of(starts), of(ends), l.int64s(axes), of(steps)]);
  },
});

/** Elements starts[i], starts[i]+steps[i], … below ends[i] along each axis i; steps are 1 by default */
export function slice(x: Value, starts: Shape, ends: Shape, steps: Shape = starts.map(() => 1)): Value {
  const whole = starts.every((s, i) => s === 0 && ends[i] === x.shape[i] && steps[i] === 1);
  return whole ? x : sliceOp([x], { starts, ends, steps });
}

/** A range of one axis */
export function sliceAxis(x: Value, axis: number, start: number, end: number): Value {
  const at = normalizeAxis(axis, x.shape.length);
  return slice(
    x,
    x.shape.map((_, i) => (i === at ? start : 0)),
    x.shape.map((n, i) => (i === at ? end : n)),
  );
}

/** The transpose of `slice`: g's elements at the places that the slice took, zeros elsewhere */
export function unslice(g: Value, shape: Shape, { starts, ends, steps }: Range): Value {
  let spread = g;
  if (steps.some((s) => s !== 1)) {
    // Zeros between elements: [n] → [n, 1] → [n, s] → [n·s], for all axes at once.
    const pairs = reshape(
      g,
      g.shape.flatMap((n) => [n, 1]),
    );
    const filled = pad(
      pairs,
      pairs.shape.map(() => 0),
      steps.flatMap((s) => [0, s - 1]),
    );
    const long = reshape(
      filled,
      g.shape.map((n, i) => n * steps[i]!),
    );
    spread = slice(
      long,
      starts.map(() => 0),
      long.shape.map((n, i) => Math.min(n, ends[i]! - starts[i]!)),
    );
  }
  return pad(
    spread,
    starts,
    shape.map((n, i) => n - starts[i]! - spread.shape[i]!),
  );
}

const flipOp = defineOp<{ axes: readonly number[] }>("Flip", {
  shape: ([x]) => x!.shape,
  grad: (g, _y, { axes }) => [flip(g, axes)],
  lower: (l, inputs, _y, { axes }) => {
    const all = (n: number) => l.int64s(axes.map(() => n));
    return l.node("Slice", [inputs[0]!, all(-1), all(-(2 ** 31)), l.int64s(axes), all(-1)]);
  },
});

/** Elements in the opposite order along the axes */
export function flip(x: Value, axes: readonly number[]): Value {
  return flipOp([x], { axes: axes.map((a) => normalizeAxis(a, x.shape.length)) });
}

const concatOp = defineOp<{ axis: number }>("Concat", {
  shape: (inputs, { axis }, fail) => {
    const [first, ...rest] = inputs.map((v) => v.shape);
    const fits = rest.every((s) => s.length === first!.length && s.every((n, i) => i === axis || n === first![i]));
    if (!fits) fail(`all axes but ${axis} must agree`);
    return first!.map((n, i) => (i === axis ? inputs.reduce((t, v) => t + v.shape[axis]!, 0) : n));
  },
  grad: (g, y, { axis }) => {
    let at = 0;
    return y.inputs.map((v) => {
      const start = at;
      at += v.shape[axis]!;
      return sliceAxis(g, axis, start, at);
    });
  },
  lower: (l, inputs, _y, { axis }) => l.node("Concat", inputs, { axis }),
});

/** The values one after the other along an axis */
export function concat(values: readonly Value[], axis: number): Value {
  return values.length === 1 ? values[0]! : concatOp(values, { axis: normalizeAxis(axis, values[0]!.shape.length) });
}

/** The elements moved by so many places along each axis, those that leave at one end coming in at the other (PyTorch's `roll`) */
export function roll(x: Value, shifts: readonly number[]): Value {
  return shifts.reduce((y, shift, axis) => {
    const size = y.shape[axis]!;
    const cut = (((-shift % size) + size) % size) | 0;
    return cut === 0 ? y : concat([sliceAxis(y, axis, cut, size), sliceAxis(y, axis, 0, cut)], axis);
  }, x);
}

const gatherOp = defineOp("Gather", {
  shape: ([x, indices], _, fail) => {
    if (x!.shape.length === 0) fail("rows are needed to choose from");
    if (indices!.dtype !== "int32") fail("indices must be whole numbers");
    return [...indices!.shape, ...x!.shape.slice(1)];
  },
  grad: (g, y) => [scatterAdd(g, y.inputs[1]!, y.inputs[0]!.shape[0]!), null],
  lower: (l, inputs) => l.node("Gather", inputs, { axis: 0 }),
});

const scatterAddOp = defineOp<{ rows: number }>("ScatterAdd", {
  shape: ([g, indices], { rows }, fail) => {
    if (indices!.dtype !== "int32") fail("indices must be whole numbers");
    if (indices!.shape.some((n, i) => g!.shape[i] !== n)) fail("there must be an index for each row");
    return [rows, ...g!.shape.slice(indices!.shape.length)];
  },
  grad: (h, y) => [gather(h, y.inputs[1]!), null],
  lower: (l, inputs, y) => {
    // Not ScatterND: the runtime's threads race where it adds to one row from many places. ScatterElements adds in order.
    const count = sizeOf(y.inputs[1]!.shape);
    const width = sizeOf(y.shape.slice(1));
    const row = l.node("Reshape", [inputs[1]!, l.int64s([count, 1])]);
    const at = l.node("Expand", [row, l.int64s([count, width])]);
    const zeros = l.node("Expand", [l.float(0), l.int64s([y.shape[0]!, width])]);
    const updates = l.node("Reshape", [inputs[0]!, l.int64s([count, width])]);
    const sums = l.node("ScatterElements", [zeros, at, updates], { axis: 0, reduction: "add" });
    return l.node("Reshape", [sums, l.int64s(y.shape)]);
  },
});

/** Rows of x (its first axis) by index; an embedding's look-up. `indices` holds whole numbers in [0, rows). */
export function gather(x: Value, indices: Value): Value {
  return gatherOp([x, indices], {});
}

/** The transpose of `gather`: adds each row of g to the row that its index names, of `rows` rows */
export function scatterAdd(g: Value, indices: Value, rows: number): Value {
  return scatterAddOp([g, indices], { rows });
}

/** Whole numbers in [0, classes) as rows with one 1; no gradient */
export function oneHot(labels: Value, classes: number): Value {
  const range = constant(
    indexTensor(
      Int32Array.from({ length: classes }, (_, i) => i),
      [classes],
    ),
  );
  return toFloat(equal(reshape(labels, [...labels.shape, 1]), range));
}
