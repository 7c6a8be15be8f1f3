import { type Rng, random } from "../../src/engine/random.ts";

/** Whole numbers that lengths and offsets go wrong by. */
const LENGTHS = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

type Mutation = (bytes: Buffer, rng: Rng, other: Uint8Array) => Uint8Array;

/** A place in a file: half of the time near an end, where formats keep their headers and tables. */
function place(length: number, rng: Rng): number {
  const near = Math.min(64, length);
  return [() => rng.int(length), () => rng.int(length), () => rng.int(near), () => length - 1 - rng.int(near)][
    rng.int(4)
  ]!();
}

/** What happens to files, by name. */
export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  bits(bytes, rng) {
    for (let i = 0; i <= rng.int(8); i++) bytes[place(bytes.length, rng)]! ^= 1 << rng.int(8);
    return bytes;
  },
  truncated: (bytes, rng) => bytes.subarray(0, rng.int(bytes.length)),
  lengths(bytes, rng) {
    // As a number of 1, 2, 4 or 8 bytes of either order, and as a variable-length one.
    const [value, at] = [LENGTHS[rng.int(LENGTHS.length)]!, place(bytes.length, rng)];
    const number = Buffer.alloc(8);
    number.writeBigUInt64LE(BigInt(value));
    const width = 2 ** rng.int(4);
    const little = number.subarray(0, width);
    const varint = Buffer.from(
      Array.from({ length: 5 }, (_, i) => ((value / 2 ** (7 * i)) & 0x7f) | (i < 4 ? 0x80 : 0)),
    );
    const written = [little, Buffer.from(little).reverse(), varint][rng.int(3)]!;
    written.copy(bytes, at);
    return bytes;
  },
  spliced(bytes, rng, other) {
    const [from, length] = [rng.int(other.length), 1 + rng.int(256)];
    const at = place(bytes.length, rng);
    return Buffer.concat([
      bytes.subarray(0, at),
      other.subarray(from, from + length),
      bytes.subarray(at + rng.int(256)),
    ]);
  },
  repeated(bytes, rng) {
    const at = place(bytes.length, rng);
    const piece = bytes.subarray(at, at + 1 + rng.int(128));
    const times = [1, 2, 1000][rng.int(3)]!;
    return Buffer.concat([bytes.subarray(0, at), ...Array<Buffer>(times).fill(piece), bytes.subarray(at)]);
  },
};

/** A file that is no longer what it was; the kinds of mutation take turns. `other` lends a piece of itself. */
export function mutated(bytes: Uint8Array, other: Uint8Array, name: string, turn: number): Uint8Array {
  const kinds = Object.values(MUTATIONS);
  return kinds[turn % kinds.length]!(Buffer.from(bytes), random(11, name, turn), other);
}
