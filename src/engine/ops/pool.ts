import { constant, defineOp, type Value } from "../graph.ts";
import { type Shape, windowCount } from "../shape.ts";
import { filled, tensor } from "../tensor.ts";
import { relu } from "./activation.ts";
import { convTranspose2d } from "./conv.ts";
import { add, div, equal, mul, toFloat } from "./elementwise.ts";
import { matmul } from "./linear.ts";
import { pad2d, reshape, slice, transpose, unslice } from "./movement.ts";
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
  grad: (g, y, pool) => [tiles(y.inputs[0]!.shape, pool) ? tiledMaxGrad(g, y, pool) : slidingMaxGrad(g, y, pool)],
  lower: (l, inputs, _y, pool) => l.node("MaxPool", inputs, windowAttributes(pool)),
});

function tiledMaxGrad(g: Value, y: Value, { kernel }: Pool): Value {
  const x = y.inputs[0]!;
  const largest = toFloat(equal(x, upsampleNearest(y, kernel)));
  const share = div(g, mul(avgPool2d(largest, { kernel }), kernel ** 2));
  return mul(largest, upsampleNearest(share, kernel));
}

function slidingMaxGrad(g: Value, y: Value, { kernel, stride, padding }: Pool): Value {
  const x = y.inputs[0]!;
  // Padding never wins: the smallest finite number stands in for minus infinity, which Pad of a later gradient could not carry.
  const wide = pad2d(x, padding, padding, -3.4e38);
  const [oh, ow] = y.shape.slice(2) as [number, number];
  const ranges = Array.from({ length: kernel * kernel }, (_, place) => {
    const starts = [0, 0, Math.floor(place / kernel), place % kernel];
    const ends = [
      wide.shape[0]!,
      wide.shape[1]!,
      starts[2]! + (oh - 1) * stride + 1,
      starts[3]! + (ow - 1) * stride + 1,
    ];
    return { starts, ends, steps: [1, 1, stride, stride] };
  });
  const largest = ranges.map((r) => toFloat(equal(slice(wide, r.starts, r.ends, r.steps), y)));
  const share = div(
    g,
    largest.reduce((a, b) => add(a, b)),
  );
  const spread = ranges.map((r, i) => unslice(mul(largest[i]!, share), wide.shape, r)).reduce((a, b) => add(a, b));
  const [h, w] = x.shape.slice(2) as [number, number];
  return slice(spread, [0, 0, padding, padding], [x.shape[0]!, x.shape[1]!, padding + h, padding + w]);
}

/** The largest element of each window; x [N, C, H, W]. Where several are largest they share the gradient equally. */
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
