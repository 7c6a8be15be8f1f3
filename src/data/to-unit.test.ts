import { expect, test } from "vitest";
import { toUnit } from "./to-unit.ts";

/** Every two bytes, and one more. */
const BYTES = Uint8Array.from({ length: 2 * 65_536 + 1 }, (_, i) => (i % 2 === 0 ? i >> 1 : i >> 9));
const bits = (values: Float32Array) => new Int32Array(values.buffer, values.byteOffset, values.length);
const wanted = bits(Float32Array.from(BYTES, (byte) => byte / 255));

test("every two bytes become their values, to the last bit", () => {
  const images = new Float32Array(BYTES.length);
  toUnit(BYTES, images, BYTES.length);
  expect(bits(images)).toEqual(wanted);
});

test.each([
  [1, 0],
  [0, 1],
  [1, 1],
  [2, 2],
])("also where the arrays begin %i bytes and %i numbers into their memory", (byte, number) => {
  const bytes = new Uint8Array(BYTES.length + byte).subarray(byte);
  bytes.set(BYTES);
  const images = new Float32Array(BYTES.length + number + 1).subarray(number);
  toUnit(bytes, images, BYTES.length);
  expect(bits(images.subarray(0, BYTES.length))).toEqual(wanted);
  expect(images[BYTES.length]).toBe(0);
});
