import { type BlockedRule, dividesIntoBlocks } from "./layout.ts";

const poolRule =
  (op: string, extra: Readonly<Record<string, number>> = {}): BlockedRule =>
  (l, y) => {
    const x = y.inputs[0]!;
    if (!l.isBlocked(x)) return undefined;
    const { kernel, stride, padding } = y.attributes as { kernel: number; stride: number; padding: number };
    return {
      blocked: l.blockedNode(op, [l.blocked(x)], {
        kernel_shape: [kernel, kernel],
        strides: [stride, stride],
        pads: [padding, padding, padding, padding],
        ...extra,
      }),
    };
  };

export const maxPoolRule = poolRule("MaxPool");
export const avgPoolRule = poolRule("AveragePool", { count_include_pad: 1 });

/** Sums and means over whole planes, by the runtime's mean over them, whose single pixels lie alike in both layouts. */
const planeRule =
  (total: boolean): BlockedRule =>
  (l, y) => {
    const x = y.inputs[0]!;
    const { axes, keep } = y.attributes as { axes: readonly number[]; keep: boolean };
    const planes = axes.includes(2) && axes.includes(3) && !axes.includes(1);
    if (!planes || !dividesIntoBlocks(x, l.block) || !l.isBlocked(x)) return undefined;
    const [n, , h, w] = x.shape as [number, number, number, number];
    const means = l.blockedNode("GlobalAveragePool", [l.blocked(x)]);
    const overImages = axes.includes(0) ? l.node("ReduceMean", [means, l.int64s([0])], { keepdims: 1 }) : means;
    const shaped = keep ? overImages : l.node("Reshape", [overImages, l.int64s(y.shape)]);
    const count = h * w * (axes.includes(0) ? n : 1);
    return { plain: total ? l.node("Mul", [shaped, l.float(count)]) : shaped };
  };

export const reduceMeanRule = planeRule(false);
export const reduceSumRule = planeRule(true);

/** Each pixel repeated */
export const upsampleRule: BlockedRule = (l, y) => {
  const x = y.inputs[0]!;
  if (!l.isBlocked(x)) return undefined;
  const { factor } = y.attributes as { factor: number };
  return { blocked: l.blockedNode("Upsample", [l.blocked(x)], { scales: [1, 1, factor, factor] }) };
};
