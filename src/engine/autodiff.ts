import { topologicalOrder, type Value } from "./graph.ts";
import { add, scalar } from "./ops/elementwise.ts";
import { broadcastTo, reshape } from "./ops/movement.ts";
import { sum } from "./ops/reduce.ts";
import { sameShape, showShape } from "./shape.ts";

/**
 * Gradients of `output` for each value of `wrt`, by one reverse walk. The result is made of ops and can be differentiated again.
 * `seed` is the gradient at the output, of its shape; without it the output must have one element and the seed is 1.
 * @throws RangeError if `output` has several elements and no seed is given, or does not depend on a value of `wrt`.
 */
export function grad(output: Value, wrt: readonly Value[], seed?: Value): Value[] {
  const order = topologicalOrder([output]);
  const needed = new Set<Value>(wrt);
  for (const v of order) if (v.inputs.some((i) => needed.has(i))) needed.add(v);

  const gradients = new Map<Value, Value>([[output, seed ?? ones(output)]]);
  for (const y of order.reverse()) {
    const g = gradients.get(y);
    if (g === undefined || y.pullback === undefined || !y.inputs.some((i) => needed.has(i))) continue;
    const pulled = y.pullback(g);
    for (const [i, x] of y.inputs.entries()) {
      const part = pulled[i];
      if (!part || !needed.has(x)) continue;
      const fitted = unbroadcast(part, x);
      const sofar = gradients.get(x);
      gradients.set(x, sofar === undefined ? fitted : add(sofar, fitted));
    }
  }
  return wrt.map((x) => {
    const g = gradients.get(x);
    if (g === undefined)
      throw new RangeError(`the output does not depend on ${x.leaf?.name ?? `${x.op} at ${x.path}`}`);
    return g;
  });
}

function ones(output: Value): Value {
  if (output.shape.some((n) => n !== 1)) {
    throw new RangeError(
      `an output of shape ${showShape(output.shape)} needs a seed; only a single number does without`,
    );
  }
  return broadcastTo(scalar(1), output.shape);
}

/** Sums a gradient over the axes along which its input was broadcast. */
function unbroadcast(g: Value, x: Value): Value {
  if (sameShape(g.shape, x.shape)) return g;
  const lead = g.shape.length - x.shape.length;
  const axes = g.shape.map((_, i) => i).filter((i) => i < lead || (x.shape[i - lead] === 1 && g.shape[i] !== 1));
  return reshape(axes.length === 0 ? g : sum(g, axes), x.shape);
}
