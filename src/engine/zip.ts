import { inflateRawSync } from "node:zlib";
import { type BytesReader, bytesReader } from "./bytes-reader.ts";

/** Files of a zip archive by name; each is taken out on demand, without a copy where it is stored as it is. */
export type ZipArchive = ReadonlyMap<string, () => Uint8Array>;

const END = 0x06054b50;
const END_64_LOCATOR = 0x07064b50;
const END_64 = 0x06064b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
/** Stands in a 32-bit field whose true value is in the 64-bit record. */
const ELSEWHERE = 0xffffffff;
const END_LENGTH = 22;
const LONGEST_COMMENT = 0xffff;
const STORED = 0;
const DEFLATED = 8;

/** Whether bytes begin as a zip archive with at least one file does. */
export function looksLikeZip(bytes: Uint8Array): boolean {
  return bytes.length > 4 && bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 0x03 && bytes[3] === 0x04;
}

/**
 * Opens a zip archive (PKWARE APPNOTE 6.3), zip64 included. Files that are stored or deflated can be read.
 * @param fail told in words what is wrong
 */
export function openZip(bytes: Uint8Array, fail: (what: string) => never): ZipArchive {
  const reader = bytesReader(bytes, fail);
  const { count, start } = findDirectory(bytes, reader, fail);
  const files = new Map<string, () => Uint8Array>();
  reader.seek(start);
  for (let i = 0; i < count; i++) {
    if (reader.u32() !== ENTRY) fail(`entry ${i + 1} of ${count} of its directory is damaged`);
    reader.take(4);
    const flags = reader.u16();
    const method = reader.u16();
    reader.take(8);
    const sizes = { packed: reader.u32(), full: reader.u32() };
    const [nameLength, extraLength, commentLength] = [reader.u16(), reader.u16(), reader.u16()];
    reader.take(8);
    const header = reader.u32();
    const name = Buffer.from(reader.take(nameLength)).toString("utf8");
    const wide = wideSizes(bytesReader(reader.take(extraLength), fail), extraLength, { ...sizes, header });
    reader.take(commentLength);
    files.set(name, () => {
      if ((flags & 1) !== 0) fail(`${name} in it is encrypted`);
      return unpack(name, bytes, method, wide, fail);
    });
  }
  return files;
}

interface Sizes {
  readonly packed: number;
  readonly full: number;
  readonly header: number;
}

function findDirectory(bytes: Uint8Array, reader: BytesReader, fail: (what: string) => never) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = Math.max(0, bytes.length - END_LENGTH - LONGEST_COMMENT);
  let at = bytes.length - END_LENGTH;
  while (at >= first && view.getUint32(at, true) !== END) at--;
  if (at < first) fail("it has no directory of its files at its end; was it cut off?");
  reader.seek(at + 10);
  const [count, , start] = [reader.u16(), reader.u32(), reader.u32()];
  if (count !== 0xffff && start !== ELSEWHERE) return { count, start };
  if (at < 20) fail("its 64-bit directory is missing");
  reader.seek(at - 20);
  if (reader.u32() !== END_64_LOCATOR) fail("its 64-bit directory is missing");
  reader.take(4);
  reader.seek(reader.u64());
  if (reader.u32() !== END_64) fail("its 64-bit directory is damaged");
  reader.take(28);
  const whole = reader.u64();
  reader.take(8);
  return { count: whole, start: reader.u64() };
}

/** Takes from an entry's extra fields the sizes that did not fit into 32 bits, in the order in which they stand. */
function wideSizes(extra: BytesReader, length: number, sizes: Sizes): Sizes {
  while (extra.position() + 4 <= length) {
    const [tag, size] = [extra.u16(), extra.u16()];
    if (tag !== 1) {
      extra.take(size);
      continue;
    }
    const full = sizes.full === ELSEWHERE ? extra.u64() : sizes.full;
    const packed = sizes.packed === ELSEWHERE ? extra.u64() : sizes.packed;
    const header = sizes.header === ELSEWHERE ? extra.u64() : sizes.header;
    return { full, packed, header };
  }
  return sizes;
}

function unpack(
  name: string,
  bytes: Uint8Array,
  method: number,
  { packed, full, header }: Sizes,
  fail: (what: string) => never,
): Uint8Array {
  const reader = bytesReader(bytes, (what) => fail(`${name} in it: ${what}`));
  reader.seek(header);
  if (reader.u32() !== LOCAL) fail(`${name} in it is not where its directory says`);
  reader.take(22);
  const [nameLength, extraLength] = [reader.u16(), reader.u16()];
  reader.take(nameLength + extraLength);
  const content = reader.take(packed);
  if (method === STORED) return content;
  if (method !== DEFLATED)
    return fail(`${name} in it is packed by method ${method}; stored and deflated files are read`);
  try {
    return inflateRawSync(content, { maxOutputLength: Math.max(full, 1) });
  } catch (error) {
    return fail(`${name} in it cannot be unpacked: ${(error as Error).message}`);
  }
}
