import { createHash } from "node:crypto";
import type { ImageSize } from "./image-size.ts";

/** What describes a set of images besides its pixels. */
export interface ImageSetHeader extends ImageSize {
  readonly classes: readonly string[];
  readonly labels: Int32Array;
}

/**
 * SHA-256 over a set's header, to be continued with the bytes of its images in order. Sets with the same sizes, classes,
 * labels and pixels have the same hash, wherever their bytes are kept.
 */
export function contentHash(header: ImageSetHeader): { update(bytes: Uint8Array): void; digest(): string } {
  const { channels, height, width, classes, labels } = header;
  const hash = createHash("sha256").update(
    JSON.stringify({ channels, height, width, classes, labels: Array.from(labels) }),
  );
  return {
    update: (bytes) => {
      hash.update(bytes);
    },
    digest: () => hash.digest("hex"),
  };
}

/** SHA-256 (hex) of a view: of the hashes of the sets it shows and of everything that says which part it shows. */
export function viewHash(base: string, description: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify([base, description]))
    .digest("hex");
}

/** Throws where a label names no class or the number of labels is not that of the images: a caller's bug, not a user's. */
export function checkLabels(name: string, labels: Int32Array, classes: readonly string[], images: number): void {
  if (labels.length !== images) throw new RangeError(`${name}: ${labels.length} labels for ${images} images`);
  const wrong = labels.find((label) => label < 0 || label >= classes.length);
  if (wrong !== undefined) throw new RangeError(`${name}: label ${wrong} where there are ${classes.length} classes`);
}
