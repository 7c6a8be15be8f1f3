/** `byte / 255` of every byte. */
const UNIT = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

let pairs: Float64Array | undefined;

/**
 * The two float32 values of every two bytes, as the one float64 with their bits. Only moved, never computed with; none of them is NaN,
 * whose bits could change on the way: values in [0, 1] have other exponents.
 */
function unitPairs(): Float64Array {
  const table = new Float64Array(65_536);
  const values = new Float32Array(table.buffer);
  const both = new Uint8Array(2);
  const word = new Uint16Array(both.buffer);
  for (let first = 0; first < 256; first++) {
    for (let second = 0; second < 256; second++) {
      both.set([first, second]);
      values[2 * word[0]!] = UNIT[first]!;
      values[2 * word[0]! + 1] = UNIT[second]!;
    }
  }
  return table;
}

/**
 * Writes the first `count` bytes to `images` as `byte / 255`, values in [0, 1]. Two are looked up at a time, which is three times as fast
 * as one by one; arrays that begin within a word are taken one by one.
 */
export function toUnit(bytes: Uint8Array, images: Float32Array, count: number): void {
  let done = 0;
  if (bytes.byteOffset % 2 === 0 && images.byteOffset % 8 === 0) {
    pairs ??= unitPairs();
    // A local name: what belongs to a module is looked up for every pixel.
    const table = pairs;
    const words = new Uint16Array(bytes.buffer, bytes.byteOffset, count >> 1);
    const places = new Float64Array(images.buffer, images.byteOffset, count >> 1);
    for (let i = 0; i < words.length; i++) places[i] = table[words[i]!]!;
    done = words.length * 2;
  }
  for (let i = done; i < count; i++) images[i] = UNIT[bytes[i]!]!;
}

/** The values of all bytes, in an array of their own. */
export function unitValues(bytes: Uint8Array): Float32Array {
  const images = new Float32Array(bytes.length);
  toUnit(bytes, images, bytes.length);
  return images;
}
