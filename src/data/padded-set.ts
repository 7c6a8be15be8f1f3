import { viewHash } from "./content-hash.ts";
import type { ImageSet } from "./dataset.ts";
import { imageLength } from "./image-size.ts";

/** A view of a set with `padding` rows and columns of zeros on each side of every image. */
export function paddedSet(set: ImageSet, padding: number): ImageSet {
  const { channels, height, width } = set;
  const outer = { channels, height: height + 2 * padding, width: width + 2 * padding };
  const outerLength = imageLength(outer);
  return {
    ...set,
    ...outer,
    hash: viewHash(set.hash, { padding }),
    async read(indices, out) {
      const inner = new Uint8Array(indices.length * imageLength(set));
      await set.read(indices, inner);
      out.fill(0, 0, indices.length * outerLength);
      const planes = indices.length * channels;
      for (let plane = 0; plane < planes; plane++) {
        const corner = (plane * outer.height + padding) * outer.width + padding;
        for (let row = 0; row < height; row++) {
          const from = (plane * height + row) * width;
          out.set(inner.subarray(from, from + width), corner + row * outer.width);
        }
      }
    },
  };
}
