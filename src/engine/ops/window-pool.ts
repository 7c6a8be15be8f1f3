import { defineOp, type Value } from "../graph.ts";
import { type Shape, windowCount } from "../shape.ts";
import { add, div, equal, mul, toFloat } from "./elementwise.ts";
import { slice, unslice } from "./movement.ts";

/** A pooling window of any form over an image that is already padded; pairs are [height, width]. */
export interface WindowPool {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
}

function pooledShape(x: Shape, { kernel, stride, dilation }: WindowPool, fail: (rule: string) => never): Shape {
  if (x.length !== 4) fail("[N, C, H, W] is needed");
  const out = [0, 1].map((i) => windowCount(x[2 + i]!, kernel[i]!, stride[i]!, 0, dilation[i]!));
  if (out.some((n) => n < 1)) fail(`kernel ${kernel.join("×")} must fit the input`);
  return [x[0]!, x[1]!, ...out];
}

/** For each place of the window, the elements of the input that stand there as the window moves. */
function places(x: Shape, y: Shape, { kernel, stride, dilation }: WindowPool) {
  return Array.from({ length: kernel[0] * kernel[1] }, (_, place) => {
    const [top, left] = [Math.floor(place / kernel[1]) * dilation[0], (place % kernel[1]) * dilation[1]];
    return {
      starts: [0, 0, top, left],
      ends: [x[0]!, x[1]!, top + (y[2]! - 1) * stride[0] + 1, left + (y[3]! - 1) * stride[1] + 1],
      steps: [1, 1, ...stride],
    };
  });
}

const maxOp = defineOp<WindowPool>("WindowMaxPool", {
  shape: ([x], pool, fail) => pooledShape(x!.shape, pool, fail),
  grad(g, y, pool) {
    const x = y.inputs[0]!;
    const ranges = places(x.shape, y.shape, pool);
    const largest = ranges.map((r) => toFloat(equal(slice(x, r.starts, r.ends, r.steps), y)));
    const share = div(
      g,
      largest.reduce((a, b) => add(a, b)),
    );
    return [ranges.map((r, i) => unslice(mul(largest[i]!, share), x.shape, r)).reduce((a, b) => add(a, b))];
  },
  lower: (l, inputs, _y, { kernel, stride, dilation }) =>
    l.node("MaxPool", inputs, { kernel_shape: kernel, strides: stride, dilations: dilation }),
});

/** The largest element of each window, of any form; x [N, C, H, W], padded. Where several are largest they share the gradient equally. */
export function windowMaxPool(x: Value, pool: WindowPool): Value {
  return maxOp([x], pool);
}
