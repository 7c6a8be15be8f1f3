import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "./errors.ts";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.ts";
import { sizeOf } from "./shape.ts";
import { tensor } from "./tensor.ts";

const tensors = fc
  .array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 })
  .chain((shape) =>
    fc.float32Array({ minLength: sizeOf(shape), maxLength: sizeOf(shape) }).map((d) => tensor(d, shape)),
  );
const names = fc.string({ minLength: 1 }).filter((name) => name !== "__metadata__");

const SEEDED = { seed: 1 };

/** A file of a given header, with as many zero bytes of numbers as asked. */
function fileOf(header: string, zeros = 0): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + zeros);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const entry = (fields: object) => JSON.stringify({ w: { dtype: "F32", shape: [2], data_offsets: [0, 8], ...fields } });

describe("round trip", () => {
  test("float32 is exact, whatever the names, shapes, numbers and notes", () => {
    fc.assert(
      fc.property(fc.dictionary(names, tensors), fc.dictionary(fc.string(), fc.string()), (state, metadata) => {
        const read = decodeSafetensors(encodeSafetensors(state, metadata));
        expect(Object.entries(read.tensors)).toEqual(Object.entries(state));
        expect(Object.entries(read.metadata)).toEqual(Object.entries(metadata));
      }),
      SEEDED,
    );
  });

  test("float16 stays within half a unit of its last place, or within half of its smallest step", () => {
    fc.assert(
      fc.property(fc.float32Array({ min: -65504, max: 65504, noNaN: true }), (data) => {
        const state = { w: tensor(data, [data.length]) };
        const read = decodeSafetensors(encodeSafetensors(state, {}, "float16")).tensors.w!;
        for (const [i, x] of data.entries()) {
          expect(Math.abs(read.data[i]! - x)).toBeLessThanOrEqual(Math.max(Math.abs(x) * 2 ** -11, 2 ** -25));
        }
      }),
      SEEDED,
    );
  });

  test("every half-precision number survives as it is", () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const header = JSON.stringify({ w: { dtype: "F16", shape: [65536], data_offsets: [0, 131072] } });
    const file = fileOf(header, 131072);
    file.set(new Uint8Array(bits.buffer), file.length - 131072);
    const read = decodeSafetensors(file).tensors;
    const written = decodeSafetensors(encodeSafetensors(read, {}, "float16")).tensors.w!.data;
    expect(read.w!.data.every((x, i) => Object.is(x, written[i]!))).toBe(true);
    expect(new Set(read.w!.data).size).toBe(65536 - 2 * 1023);
  });

  test.each([
    ["one", 1, 1],
    ["the largest", 65504, 65504],
    ["what rounds to the largest", 65519, 65504],
    ["what rounds beyond the largest", 65520, Infinity],
    ["minus infinity", -Infinity, -Infinity],
    ["not a number", NaN, NaN],
    ["minus zero", -0, -0],
    ["the smallest normal", 2 ** -14, 2 ** -14],
    ["the smallest", 2 ** -24, 2 ** -24],
    ["half of the smallest, a tie to even", 2 ** -25, 0],
    ["a little more than half of the smallest", 2 ** -25 + 2 ** -40, 2 ** -24],
    ["what rounds up to the smallest normal", 2 ** -14 - 2 ** -26, 2 ** -14],
    ["a tie that rounds down to even", 1 + 2 ** -11, 1],
    ["a tie that rounds up to even", 1 + 3 * 2 ** -11, 1 + 2 ** -9],
    ["float32's smallest", 2 ** -149, 0],
  ])("float16 of %s", (_what, x, wanted) => {
    const read = decodeSafetensors(encodeSafetensors({ w: tensor([x], []) }, {}, "float16"));
    expect(read.tensors.w!.data[0]).toBe(wanted);
  });

  test("each tensor may have a precision of its own", () => {
    const state = { small: tensor([1 / 3], [1]), large: tensor([1 / 3, 1 / 3], [2]) };
    const bytes = encodeSafetensors(state, {}, (t) => (t.data.length > 1 ? "float16" : "float32"));
    const { small, large } = decodeSafetensors(bytes).tensors;
    expect(small!.data[0]).toBe(Math.fround(1 / 3));
    expect(large!.data[0]).toBe(0.333251953125);
  });

  test("numbers start at a multiple of eight bytes, as readers that map the file want it", () => {
    for (const name of ["a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg", "abcdefgh"]) {
      const bytes = encodeSafetensors({ [name]: tensor([1], [1]) });
      expect((bytes.length - 4) % 8).toBe(0);
    }
  });
});

test("bfloat16, float64 and whole numbers are read as float32", () => {
  const header = JSON.stringify({
    bf16: { dtype: "BF16", shape: [2], data_offsets: [0, 4] },
    f64: { dtype: "F64", shape: [], data_offsets: [4, 12] },
    i32: { dtype: "I32", shape: [1], data_offsets: [12, 16] },
    i64: { dtype: "I64", shape: [1, 1], data_offsets: [16, 24] },
  });
  const bytes = fileOf(header, 24);
  const view = new DataView(bytes.buffer, bytes.length - 24);
  view.setUint16(0, 0x3fc0, true);
  view.setUint16(2, 0xff80, true);
  view.setFloat64(4, 0.1, true);
  view.setInt32(12, -7, true);
  view.setBigInt64(16, 2n ** 40n, true);
  const { bf16, f64, i32, i64 } = decodeSafetensors(bytes).tensors;
  expect([...bf16!.data]).toEqual([1.5, -Infinity]);
  expect([f64!.data[0], i32!.data[0], i64!.data[0]]).toEqual([Math.fround(0.1), -7, 2 ** 40]);
});

describe("a broken file is the user's to mend", () => {
  const whole = encodeSafetensors({ w: tensor([1, 2], [2]) });

  test.each([
    ["an empty file", new Uint8Array(0), "0 bytes are too few"],
    ["a header longer than the file", whole.subarray(0, 20), "is longer than the file"],
    ["numbers cut off", whole.subarray(0, whole.length - 1), "tensor w of shape [2] does not fit its bytes 0 to 8"],
    ["a header that is no JSON", fileOf("{"), "its header is not a JSON object"],
    ["a header that is no text", Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0xff), "its header is not a JSON object"],
    ["a list as a header", fileOf("[]"), "its header is not a JSON object"],
    ["nothing as a header", fileOf("null"), "its header is not a JSON object"],
    ["a tensor that is a number", fileOf('{"w":3}'), "tensor w has no description"],
    ["an unknown type", fileOf(entry({ dtype: "F8_E5M2" }), 8), "tensor w has type F8_E5M2; F32, F64"],
    ["a type with the name of a method", fileOf(entry({ dtype: "toString" }), 8), "tensor w has type toString"],
    ["no shape", fileOf(entry({ shape: null }), 8), "tensor w has no shape or no offsets"],
    ["a negative shape", fileOf(entry({ shape: [-1, -2] }), 8), "tensor w has no shape or no offsets in whole numbers"],
    ["half a row", fileOf(entry({ shape: [0.5, 4] }), 8), "in whole numbers"],
    ["one offset", fileOf(entry({ data_offsets: [8] }), 8), "in whole numbers"],
    ["offsets before the start", fileOf(entry({ data_offsets: [-8, 0] }), 8), "in whole numbers"],
    ["offsets of another length", fileOf(entry({ data_offsets: [0, 4] }), 8), "does not fit its bytes 0 to 4"],
    ["offsets past the end", fileOf(entry({ data_offsets: [8, 16] }), 8), "does not fit its bytes 8 to 16"],
    ["notes that are no texts", fileOf('{"__metadata__":{"step":3}}'), "its metadata is not an object of texts"],
  ])("%s", (_what, bytes, message) => {
    const read = () => decodeSafetensors(bytes, "model.safetensors");
    expect(read).toThrow(UserError);
    expect(read).toThrow("model.safetensors: not a readable safetensors file");
    expect(read).toThrow(message);
  });

  test("any other bytes either read or give that error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(whole.length - 1), fc.nat(255), (noise, at, byte) => {
        const changed = Uint8Array.from(whole);
        changed[at] = byte;
        for (const bytes of [noise, changed]) {
          try {
            decodeSafetensors(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(UserError);
          }
        }
      }),
      SEEDED,
    );
  });
});
