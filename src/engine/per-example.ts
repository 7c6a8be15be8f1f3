import { UserError } from "./errors.ts";
import { constant, topologicalOrder, type Value } from "./graph.ts";
import { type ConvWindow, conv2dWeightGradients } from "./ops/conv.ts";
import { add, mul } from "./ops/elementwise.ts";
import { matmul } from "./ops/linear.ts";
import { broadcastTo, flatten, reshape, scatterAdd, slice, sliceAxis, transpose, unslice } from "./ops/movement.ts";
import { sum } from "./ops/reduce.ts";
import { type Shape, sameShape, sizeOf } from "./shape.ts";
import { filled } from "./tensor.ts";

// Where a batch meets a weight, the activations that go in and the gradient that comes back hold every example's own gradient of
// the weight (Goodfellow 2015): it costs what the weight's gradient of the batch costs, and no example runs alone.

/** A network in which the examples of a batch have no gradients of their own that could be found: not every imported one has. */
export class PerExampleError extends UserError {
  override readonly name = "PerExampleError";
}

/** The error that says of which network a refusal is; any other error as it is. */
export function refusalOf(network: string, error: unknown): unknown {
  return error instanceof PerExampleError ? new PerExampleError(`${network}: ${error.message}`) : error;
}

/**
 * The gradient of each example's loss for each value of `wrt`, [N, …shape], by one reverse walk. The examples must come in as
 * inputs of the graph; `wrt` are weights, which all examples share.
 * @param losses [N], one number an example
 * @throws PerExampleError where an op mixes the examples of a batch (batch norm in training) and where a weight is used in a way that no
 * rule is known for; RangeError where the losses do not depend on a value of `wrt`.
 */
export function perExampleGradients(losses: Value, wrt: readonly Value[]): Value[] {
  const rows = losses.shape[0]!;
  if (losses.shape.length !== 1) throw new RangeError("per-example gradients need one loss an example, [N]");
  const order = topologicalOrder([losses]);
  const [batched, depends] = [new Set<Value>(), new Set<Value>(wrt)];
  for (const v of order) {
    if (v.leaf?.kind === "input" || v.inputs.some((x) => batched.has(x))) batched.add(v);
    if (v.inputs.some((x) => depends.has(x))) depends.add(v);
  }
  for (const v of order) if (batched.has(v) && depends.has(v)) checkRows(v, rows, batched);

  const found = new Map<Value, Value>([[losses, constant(filled([rows], 1))]]);
  const gather = (x: Value, part: Value) => {
    const sofar = found.get(x);
    found.set(x, sofar === undefined ? part : add(sofar, part));
  };
  for (const y of order.reverse()) {
    const g = found.get(y);
    if (g === undefined || !y.inputs.some((x) => depends.has(x))) continue;
    if (batched.has(y)) {
      const pulled = y.inputs.some((x) => batched.has(x) && depends.has(x)) ? (y.pullback?.(g) ?? []) : [];
      for (const [i, x] of y.inputs.entries()) {
        if (!depends.has(x)) continue;
        if (!batched.has(x)) gather(x, ofWeight(g, y, i));
        else if (pulled[i]) gather(x, summedTo(pulled[i], x.shape.slice(1)));
      }
    } else {
      for (const [i, part] of throughWeight(g, y).entries())
        if (part !== null && depends.has(y.inputs[i]!)) gather(y.inputs[i]!, part);
    }
  }
  return wrt.map((x) => {
    const g = found.get(x);
    if (g === undefined) throw new RangeError(`the losses do not depend on ${x.leaf?.name ?? x.op}`);
    return g;
  });
}

/** ‖g‖² of each example's gradient over all of the given weights: [N]. */
export function squaredNorms(gradients: readonly Value[]): Value {
  return gradients
    .map((g) => {
      const rows = flatten(g);
      return sum(mul(rows, rows), [1]);
    })
    .reduce((a, b) => add(a, b));
}

/** Ops of one or two values, element by element: their own gradient rule keeps the axis of the examples apart by broadcasting. */
const ELEMENTWISE = new Set(["Add", "Sub", "Mul", "Div", "Pow", "Neg", "Exp", "Log", "Sqrt"]);

/** What flows to input i, a function of weights alone, of a batched value: [N, …shape of the input]. */
function ofWeight(g: Value, y: Value, i: number): Value {
  const [x, w] = y.inputs as [Value, Value];
  const rows = y.shape[0]!;
  if (ELEMENTWISE.has(y.op)) {
    const input = y.inputs[i]!;
    if (input.shape.length === y.shape.length && input.shape[0] !== 1)
      throw new PerExampleError(`${y.op} at ${y.path}: a weight with an axis for the examples is not shared by them`);
    const own = input.shape.length === y.shape.length ? input.shape.slice(1) : input.shape;
    return reshape(summedTo(y.pullback!(g)[i]!, own), [rows, ...input.shape]);
  }
  if (y.op === "Conv" && i === 1) return conv2dWeightGradients(x, g, w.shape, y.attributes as unknown as ConvWindow);
  // A transposed convolution: what comes back goes in at the other end.
  if (y.op === "ConvInputGrad" && i === 1)
    return conv2dWeightGradients(g, x, w.shape, y.attributes as unknown as ConvWindow);
  if (y.op === "MatMul" && i === 1 && w.shape.length === 2) {
    const flat = (v: Value) => reshape(v, [rows, v.shape.slice(1, -1).reduce((n, a) => n * a, 1), v.shape.at(-1)!]);
    return matmul(transpose(flat(x)), flat(g));
  }
  if (y.op === "ChannelAffine" && i > 0) {
    const inner = x.shape.map((_, axis) => axis).slice(2);
    return sum(i === 1 ? mul(g, x) : g, inner);
  }
  throw new PerExampleError(`${y.op} at ${y.path}: no rule for the per-example gradient of its input ${i}`);
}

/** A range of a value, with all of the examples' axis before it. */
const behindRows = (rows: number, { starts, ends, steps }: { starts: Shape; ends: Shape; steps: Shape }) => ({
  starts: [0, ...starts],
  ends: [rows, ...ends],
  steps: [1, ...steps],
});

function throughReduction(g: Value, y: Value, rows: number): Value {
  const x = y.inputs[0]!;
  const axes = y.attributes.axes as readonly number[];
  const kept = x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
  return broadcastTo(reshape(g, [rows, ...kept]), [rows, ...x.shape]);
}

/** Ops that move the elements of weights, or add them up: their gradient rules with the axis of the examples before all others. */
const THROUGH: Readonly<Record<string, (g: Value, y: Value, rows: number) => (Value | null)[]>> = {
  ReduceSum: (g, y, rows) => [throughReduction(g, y, rows)],
  ReduceMean: (g, y, rows) => [mul(throughReduction(g, y, rows), sizeOf(y.shape) / sizeOf(y.inputs[0]!.shape))],
  Reshape: (g, y, rows) => [reshape(g, [rows, ...y.inputs[0]!.shape])],
  Expand: (g, y) => [summedTo(g, y.inputs[0]!.shape)],
  Transpose(g, y) {
    const order = y.attributes.order as readonly number[];
    return [transpose(g, [0, ...order.map((_, axis) => order.indexOf(axis) + 1)])];
  },
  Concat(g, y) {
    const axis = y.attributes.axis as number;
    let at = 0;
    return y.inputs.map((x) => {
      const start = at;
      at += x.shape[axis]!;
      return sliceAxis(g, axis + 1, start, at);
    });
  },
  Slice(g, y, rows) {
    const range = y.attributes as unknown as Parameters<typeof behindRows>[1];
    return [unslice(g, [rows, ...y.inputs[0]!.shape], behindRows(rows, range))];
  },
  Pad(g, y, rows) {
    const before = y.attributes.before as Shape;
    const ends = before.map((b, axis) => b + y.inputs[0]!.shape[axis]!);
    return [slice(g, [0, ...before], [rows, ...ends])];
  },
  Gather(g, y) {
    const [table, indices] = y.inputs as [Value, Value];
    // The rows of the table are chosen along the first axis, so the examples' axis steps behind those of the indices meanwhile.
    const of = indices.shape.map((_, axis) => axis + 1);
    const rest = table.shape.slice(1).map((_, axis) => axis + 1);
    const moved = transpose(g, [...of, 0, ...rest.map((axis) => axis + of.length)]);
    const summed = scatterAdd(moved, indices, table.shape[0]!);
    return [transpose(summed, [1, 0, ...rest.map((axis) => axis + 1)]), null];
  },
};

/** What flows to the inputs of a function of weights alone: g is [N, …shape of y], the results [N, …shape of the input]. */
function throughWeight(g: Value, y: Value): (Value | null)[] {
  const rows = g.shape[0]!;
  if (ELEMENTWISE.has(y.op)) {
    // The examples' axis stands before those that broadcasting pairs up.
    return y.inputs.map((x, i) => summedTo(y.pullback!(g)[i]!, x.shape));
  }
  if (y.pullback === undefined) return y.inputs.map(() => null);
  const rule = THROUGH[y.op];
  if (rule !== undefined) return rule(g, y, rows);
  throw new PerExampleError(`${y.op} at ${y.path}: no rule for per-example gradients through it`);
}

/** g [N, …] summed over the axes, the first left alone, along which `own` was broadcast: [N, …own]. */
function summedTo(g: Value, own: Shape): Value {
  const to = [g.shape[0]!, ...own];
  if (sameShape(g.shape, to)) return g;
  const missing = g.shape.length - 1 - own.length;
  const broadcast = (axis: number) => axis < missing || (own[axis - missing] === 1 && g.shape[axis + 1] !== 1);
  const axes = g.shape.flatMap((_, axis) => (axis > 0 && broadcast(axis - 1) ? [axis] : []));
  return reshape(sum(g, axes), to);
}

/** @throws PerExampleError unless every row of a batched value comes from the same row of its batched inputs. */
function checkRows(v: Value, rows: number, batched: ReadonlySet<Value>): void {
  const mixes =
    v.shape[0] !== rows ||
    v.op === "BatchNorm" ||
    v.op === "Inverse" ||
    (v.op.startsWith("Reduce") && (v.attributes.axes as readonly number[]).includes(0)) ||
    (v.op === "Transpose" && (v.attributes.order as readonly number[])[0] !== 0) ||
    (v.op === "MatMul" && batched.has(v.inputs[1]!) && v.inputs[1]!.shape.length < 3);
  if (mixes)
    throw new PerExampleError(`${v.op} at ${v.path === "" ? "no layer" : v.path} mixes the examples of a batch`);
}
