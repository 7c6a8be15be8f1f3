import { constant, defineOp, type Op, type Value } from "../graph.ts";
import type { Lowering } from "../lowering.ts";
import { type Shape, sizeOf, windowCount } from "../shape.ts";
import { filled, tensor } from "../tensor.ts";
import { relu } from "./activation.ts";
import { convTranspose2d } from "./conv.ts";
import { div, equal, mul, toFloat } from "./elementwise.ts";
import { matmul } from "./linear.ts";
import { reshape, transpose } from "./movement.ts";
import { mean } from "./reduce.ts";

/** A pooling window, square: side, step and padding in pixels. */
export interface PoolOptions {
  readonly kernel: number;
  /** The kernel's side by default. */
  readonly stride?: number;
  readonly padding?: number;
}

type Pool = Required<PoolOptions>;

const poolOf = ({ kernel, stride, padding }: PoolOptions): Pool => ({
  kernel,
  stride: stride ?? kernel,
  padding: padding ?? 0,
});

function pooledShape(x: Shape, { kernel, stride, padding }: Pool, fail: (rule: string) => never): Shape {
  if (x.length !== 4) fail("[N, C, H, W] is needed");
  if (padding * 2 > kernel) fail(`padding ${padding} must be at most half of kernel ${kernel}`);
  const out = [x[2]!, x[3]!].map((n) => windowCount(n, kernel, stride, padding, 1));
  if (out.some((n) => n < 1)) fail(`kernel ${kernel} must fit the padded input`);
  return [x[0]!, x[1]!, ...out];
}

const windowAttributes = ({ kernel, stride, padding }: Pool) => ({
  kernel_shape: [kernel, kernel],
  strides: [stride, stride],
  pads: [padding, padding, padding, padding],
});

const tiles = (x: Shape, { kernel, stride, padding }: Pool) =>
  kernel === stride && padding === 0 && x[2]! % kernel === 0 && x[3]! % kernel === 0;

const maxPoolOp = defineOp<Pool>("MaxPool", {
  shape: ([x], pool, fail) => pooledShape(x!.shape, pool, fail),
  grad: (g, y, pool) => [
    tiles(y.inputs[0]!.shape, pool) ? tiledMaxGrad(g, y, pool) : toLargestOp([y.inputs[0]!, g], pool),
  ],
  lower: (l, inputs, _y, pool) => l.node("MaxPool", inputs, windowAttributes(pool)),
});

function tiledMaxGrad(g: Value, y: Value, { kernel }: Pool): Value {
  const x = y.inputs[0]!;
  const largest = toFloat(equal(x, upsampleNearest(y, kernel)));
  const share = div(g, mul(avgPool2d(largest, { kernel }), kernel ** 2));
  return mul(largest, upsampleNearest(share, kernel));
}

/** Where each window's largest element lies among all of x [N, C, H, W], of several the first. */
const winners = (l: Lowering, x: string, pool: Pool): string => {
  const places = l.secondOutput("MaxPool", [x], windowAttributes(pool));
  return l.node("Reshape", [places, l.int64s([-1])]);
};

/** Adds the numbers of x's windows [N, C, oh, ow] where their largest elements lie in x [N, C, H, W]. */
const toLargestOp = defineOp<Pool>("ToLargest", {
  shape: ([x]) => x!.shape,
  grad: (h, y, pool) => [null, ofLargestOp([y.inputs[0]!, h], pool)],
  lower: (l, [x, numbers], y, pool) => {
    const zeros = l.node("Expand", [l.float(0), l.int64s([sizeOf(y.shape)])]);
    const flat = l.node("Reshape", [numbers!, l.int64s([-1])]);
    const sums = l.node("ScatterElements", [zeros, winners(l, x!, pool), flat], { axis: 0, reduction: "add" });
    return l.node("Reshape", [sums, l.int64s(y.shape)]);
  },
});

/** Of numbers [N, C, H, W] those that lie where the largest elements of x's windows do: the transpose of `ToLargest`. */
const ofLargestOp: Op<Pool> = defineOp<Pool>("OfLargest", {
  shape: ([x], pool, fail) => pooledShape(x!.shape, pool, fail),
  grad: (h, y, pool) => [null, toLargestOp([y.inputs[0]!, h], pool)],
  lower: (l, [x, numbers], y, pool) => {
    const flat = l.node("Reshape", [numbers!, l.int64s([-1])]);
    const taken = l.node("GatherElements", [flat, winners(l, x!, pool)], { axis: 0 });
    return l.node("Reshape", [taken, l.int64s(y.shape)]);
  },
});

/**
 * The largest element of each window; x [N, C, H, W]. Where several are largest they share the gradient equally if windows tile the map;
 * where windows overlap or leave gaps the first has it, as in PyTorch.
 */
export function maxPool2d(x: Value, options: PoolOptions): Value {
  // A ReLU gives the same behind the pool, where there are fewer pixels to mask on the way back; padding never wins in either order.
  if (x.op === "Relu") return relu(maxPoolOp([x.inputs[0]!], poolOf(options)));
  return maxPoolOp([x], poolOf(options));
}

const avgPoolOp = defineOp<Pool>("AveragePool", {
  shape: ([x], pool, fail) => pooledShape(x!.shape, pool, fail),
  grad: (g, y, pool) => [averageGrad(g, y.inputs[0]!.shape, pool)],
  lower: (l, inputs, _y, pool) => l.node("AveragePool", inputs, { ...windowAttributes(pool), count_include_pad: 1 }),
});

function averageGrad(g: Value, to: Shape, pool: Pool): Value {
  const { kernel, stride, padding } = pool;
  if (tiles(to, pool)) return mul(upsampleNearest(g, kernel), 1 / kernel ** 2);
  const channels = to[1]!;
  const weight = constant(filled([channels, 1, kernel, kernel], 1 / kernel ** 2), "average");
  const outputPadding = [2, 3].map((i) => to[i]! - ((g.shape[i]! - 1) * stride - 2 * padding + kernel)) as [
    number,
    number,
  ];
  return convTranspose2d(g, weight, { stride, padding, groups: channels, outputPadding });
}

/** The mean of each window, padding counted as zeros (PyTorch's default); x [N, C, H, W] */
export function avgPool2d(x: Value, options: PoolOptions): Value {
  return avgPoolOp([x], poolOf(options));
}

/** The mean over height and width: [N, C, H, W] → [N, C] */
export function globalAvgPool(x: Value): Value {
  return mean(x, [2, 3]);
}

/** The mean over `size × size` bins that cover the map evenly, as PyTorch's `adaptive_avg_pool2d`; x [N, C, H, W] */
export function adaptiveAvgPool2d(x: Value, size: number): Value {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  if (h % size === 0 && h === w) return h === size ? x : avgPool2d(x, { kernel: h / size });
  const rows = matmul(binWeights(size, h), x);
  return reshape(matmul(rows, transpose(binWeights(size, w))), [n, c, size, size]);
}

/** A [bins, n] matrix whose rows average elements ⌊i·n/bins⌋ … ⌈(i+1)·n/bins⌉ − 1 */
function binWeights(bins: number, n: number): Value {
  const weights = new Float32Array(bins * n);
  for (let i = 0; i < bins; i++) {
    const [start, end] = [Math.floor((i * n) / bins), Math.ceil(((i + 1) * n) / bins)];
    weights.fill(1 / (end - start), i * n + start, i * n + end);
  }
  return constant(tensor(weights, [bins, n]), "bins");
}

const upsampleOp = defineOp<{ factor: number }>("UpsampleNearest", {
  shape: ([x], { factor }, fail) => {
    const [n, c, h, w] = x!.shape;
    if (x!.shape.length !== 4) fail("[N, C, H, W] is needed");
    return [n!, c!, h! * factor, w! * factor];
  },
  grad: (g, _y, { factor }) => [mul(avgPool2d(g, { kernel: factor }), factor ** 2)],
  lower: (l, inputs, _y, { factor }) =>
    l.node("Resize", [inputs[0]!, "", l.floats([1, 1, factor, factor])], {
      mode: "nearest",
      coordinate_transformation_mode: "asymmetric",
      nearest_mode: "floor",
    }),
});

/** Each pixel repeated in a `factor × factor` block: nearest-neighbour upsampling; x [N, C, H, W] */
export function upsampleNearest(x: Value, factor: number): Value {
  return factor === 1 ? x : upsampleOp([x], { factor });
}
