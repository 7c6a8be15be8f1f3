import type { Value } from "../graph.ts";
import type { ConvWindow } from "../ops/conv.ts";
import type { Shape } from "../shape.ts";
import type { BlockedLowering } from "./layout.ts";
import { paddingBehind } from "./weight-grad.ts";

/** Whether each channel has a kernel [K, 1, kh, kw] of its own, and gives one channel. */
export function isDepthwise({ groups }: ConvWindow, { shape }: Pick<Value, "shape">): boolean {
  return groups > 1 && shape[0] === groups && shape[1] === 1;
}

/**
 * The weight's gradient of a depthwise convolution, plain, as a depthwise convolution too. Maps [N, C/b, H, W, b] lie in memory as one
 * image of N·C channels does, and a gradient of as many maps as that convolution's weights: the gradient slides over the input, and nothing
 * is copied. Undefined where it would slide further than the kernel has places.
 */
export function depthwiseWeightGrad(
  l: BlockedLowering,
  x: Value,
  g: Value,
  window: ConvWindow & { readonly to: Shape },
): string | undefined {
  const { stride, padding, dilation, to } = window;
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const [kernel, slid] = [to.slice(2), g.shape.slice(2)];
  const beyond = [paddingBehind(x, g, window, 0), paddingBehind(x, g, window, 1)];
  if (beyond.some((pixels) => pixels < 0)) return undefined;
  const inputs = [
    l.node("Reshape", [l.blocked(x), l.int64s([1, n * c, h, w])]),
    l.node("Reshape", [l.blocked(g), l.int64s([n * c, 1, ...slid])]),
  ];
  const attributes = {
    kernel_shape: slid,
    strides: dilation,
    pads: [...padding, ...beyond],
    dilations: stride,
    group: n * c,
  };
  const products = l.blockedNode("Conv", inputs, attributes);
  const each = l.node("Reshape", [products, l.int64s([n, c * kernel[0]! * kernel[1]!])]);
  const total = l.node("ReduceSum", [each, l.int64s([0])], { keepdims: 0 });
  const inBlocks = l.node("Reshape", [total, l.int64s([1, c, ...kernel])]);
  return l.node("Reshape", [l.blockedNode("ReorderOutput", [inBlocks], { channels: c }), l.int64s(to)]);
}
