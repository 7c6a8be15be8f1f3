import { sizeOf } from "../../shape.ts";
import type { Call } from "../call.ts";
import type { HostTensor } from "../host.ts";

/** (q − zero point) · scale: one scale for all, one along an axis, or one for each block of an axis (opset 21). */
export function dequantized(c: Call): HostTensor {
  const [q, scale] = [c.known(0), c.known(1)];
  const zero = c.has(2) ? c.known(2) : undefined;
  const data = new Float32Array(q.data.length);
  const scaleAt = placement(c, q.shape, scale);
  for (let i = 0; i < data.length; i++) {
    const at = scaleAt(i);
    data[i] = (q.data[i]! - (zero?.data[at] ?? 0)) * scale.data[at]!;
  }
  return { type: "float", shape: q.shape, data };
}

/** Which scale belongs to an element. */
function placement(c: Call, shape: readonly number[], scale: HostTensor): (i: number) => number {
  if (scale.data.length === 1) return () => 0;
  const axis = c.axis(c.int("axis", 1), shape.length);
  const inner = sizeOf(shape.slice(axis + 1));
  const length = shape[axis]!;
  if (scale.shape.length <= 1) {
    if (scale.data.length !== length) c.fail(`${scale.data.length} scales for an axis of length ${length}`);
    return (i) => Math.floor(i / inner) % length;
  }
  const block = c.int("block_size", 0);
  const blocks = Math.ceil(length / Math.max(block, 1));
  if (block < 1 || scale.data.length !== (sizeOf(shape) / length) * blocks)
    c.fail(`scales of shape [${scale.shape}] do not fit blocks of ${block}`);
  return (i) => {
    const outer = Math.floor(i / (inner * length));
    return (outer * blocks + Math.floor((Math.floor(i / inner) % length) / block)) * inner + (i % inner);
  };
}
