import { checkLabels, contentHash, type ImageSetHeader } from "./content-hash.ts";
import type { ImageSet } from "./dataset.ts";
import { imageLength } from "./image-size.ts";

/** What a set in memory is made of. */
export interface MemorySetOptions extends ImageSetHeader {
  readonly name: string;
  /** All images one after the other, each `channels × height × width` bytes. Not copied: do not change it afterwards. */
  readonly bytes: Uint8Array;
}

/** A set whose bytes are held in memory: for tests and for sets of a few dozen megabytes. */
export function memorySet(options: MemorySetOptions): ImageSet {
  const { name, channels, height, width, classes, labels, bytes } = options;
  const length = imageLength(options);
  const size = labels.length;
  if (bytes.length !== size * length) {
    throw new RangeError(`${name}: ${bytes.length} bytes for ${size} images of ${channels}×${height}×${width}`);
  }
  checkLabels(name, labels, classes, size);
  const hash = contentHash(options);
  hash.update(bytes);
  return {
    name,
    channels,
    height,
    width,
    size,
    classes,
    labels,
    hash: hash.digest(),
    async read(indices, out) {
      for (let i = 0; i < indices.length; i++) {
        const index = indices[i]!;
        if (!(index >= 0 && index < size)) throw new RangeError(`${name}: no image ${index} among ${size}`);
        out.set(bytes.subarray(index * length, (index + 1) * length), i * length);
      }
    },
  };
}
