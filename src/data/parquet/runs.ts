/** Values by which the last run of a page may reach beyond what the page says: writers fill up to whole groups of eight. */
const FILLED_UP = 504;
/** Widest number that the format packs, in bits. */
const WIDEST = 32;

/**
 * Walks over run lengths and packed bits (Parquet's "RLE/bit-packing hybrid") without writing them out, and refuses a run of more
 * values than the page has. A reader that believes such a run fills its memory with it: one changed byte can claim a hundred
 * million values.
 * @param width bits of a value
 * @param count values that the page has
 * @throws Error with what is wrong
 */
export function checkRuns(bytes: Uint8Array, width: number, count: number): void {
  if (width > WIDEST) throw new Error(`values of ${width} bits, where ${WIDEST} are the most`);
  for (let at = 0, seen = 0; at < bytes.length && seen < count; ) {
    let header = 0;
    for (let shift = 0, more = true; more; shift += 7) {
      const byte = bytes[at++];
      // Four bytes are enough for any run of a page that is read here, and keep the number clear of the sign.
      if (byte === undefined || shift > 21) throw new Error("a run of values whose length does not end");
      header |= (byte & 0x7f) << shift;
      more = byte >= 0x80;
    }
    const packed = (header & 1) === 1;
    const values = packed ? (header >>> 1) * 8 : header >>> 1;
    if (values > count - seen + (packed ? FILLED_UP : 0))
      throw new Error(`a run of ${values} values, where ${count - seen} are left`);
    at += packed ? (values / 8) * width : Math.ceil(width / 8);
    seen += values;
  }
}
