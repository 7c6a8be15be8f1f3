import { defineOp, input } from "../graph.ts";
import { toOnnx } from "../lowering.ts";
import { type Tensor, tensor } from "../tensor.ts";
import { BLOCKED_DOMAIN } from "./layout.ts";

const reorder = defineOp("Reorder", {
  shape: ([x]) => x!.shape,
  lower: (l, inputs) => l.node("ReorderInput", inputs, {}, BLOCKED_DOMAIN),
});

const SHAPE = [1, 64, 1, 2] as const;

/** A model that puts its input x in blocks as y, and an input that shows how; where the runtime has no blocks it cannot be run. */
export function blockProbe(): { model: Uint8Array; x: Tensor } {
  const count = Float32Array.from({ length: 128 }, (_, i) => i);
  return { model: toOnnx({ outputs: { y: reorder([input("x", SHAPE)], {}) }, block: 1 }), x: tensor(count, SHAPE) };
}

/** Channels in a block: so many of them lie between the two pixels of the first. */
export function blockOf(y: Tensor): number {
  return y.data.indexOf(1);
}
