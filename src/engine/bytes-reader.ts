/** Reads numbers and runs of bytes one after the other. Little-endian; whatever lies beyond the end goes to `fail`. */
export interface BytesReader {
  position(): number;
  seek(position: number): void;
  u8(): number;
  u16(): number;
  u32(): number;
  i32(): number;
  /** An unsigned 64-bit number that is at most 2⁵³ − 1. */
  u64(): number;
  f64BigEndian(): number;
  /** A view, not a copy. */
  take(length: number): Uint8Array;
  /** What stands before the next line break, which is passed over. */
  line(): string;
}

/** A reader over the given bytes. */
export function bytesReader(bytes: Uint8Array, fail: (what: string) => never, start = 0): BytesReader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = start;
  const step = (length: number): number => {
    if (length > bytes.length - at) fail(`it ends at byte ${bytes.length}, where ${length} more are needed`);
    at += length;
    return at - length;
  };
  return {
    position: () => at,
    seek(position) {
      if (!(position >= 0 && position <= bytes.length)) fail(`it has no byte ${position}`);
      at = position;
    },
    u8: () => view.getUint8(step(1)),
    u16: () => view.getUint16(step(2), true),
    u32: () => view.getUint32(step(4), true),
    i32: () => view.getInt32(step(4), true),
    u64() {
      const value = Number(view.getBigUint64(step(8), true));
      return Number.isSafeInteger(value) ? value : fail(`a size of ${value} bytes is no size`);
    },
    f64BigEndian: () => view.getFloat64(step(8), false),
    take(length) {
      const from = step(length);
      return bytes.subarray(from, from + length);
    },
    line() {
      const end = bytes.indexOf(0x0a, at);
      if (end < 0) fail("a name in it does not end");
      const text = Buffer.from(bytes.buffer, bytes.byteOffset + at, end - at).toString("utf8");
      at = end + 1;
      return text;
    },
  };
}
