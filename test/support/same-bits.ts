import type { StateDict } from "../../src/engine/store.ts";

/** Whether two arrays hold the same bits: tells 0 from −0, and finds NaN equal to itself. */
export function sameBits(a: Float32Array, b: Float32Array): boolean {
  const bytes = (x: Float32Array) => Buffer.from(x.buffer, x.byteOffset, x.byteLength);
  return bytes(a).equals(bytes(b));
}

/** Names of the tensors that are missing in `after` or differ in a single bit, in the order of `before`. */
export function changedTensors(before: StateDict, after: StateDict): string[] {
  return Object.keys(before).filter((name) => {
    const found = after[name];
    return found === undefined || !sameBits(before[name]!.data, found.data);
  });
}
