import { join } from "node:path";
import type { ImageSet } from "../../src/data/dataset.ts";
import { faces } from "../../src/data/faces.ts";
import { writePng } from "../../src/data/image-file.ts";

/** Which drawn people are written: keys of the data source `faces`. */
export type FaceFolderSettings = Parameters<typeof faces.config.parse>[0];

/**
 * Writes drawn people as a stranger's folders of images: `private/<name>/…` one directory a person, and `public/…` other people, as PNG.
 * Their pre-training images lie in `pretraining/<class>/…`. Returns the paths.
 */
export async function writeFaceFolders(
  root: string,
  settings: FaceFolderSettings,
  cacheDir: string,
): Promise<Record<"private" | "public" | "pretraining", string>> {
  const drawn = await faces.load(faces.config.parse(settings), { cacheDir, seed: 1 });
  const folders = {
    private: join(root, "private"),
    public: join(root, "public"),
    pretraining: join(root, "pretraining"),
  };
  const byClass = async (folder: string, ...parts: readonly ImageSet[]) => {
    for (const [n, part] of parts.entries())
      await writeSet(part, (label, i) => join(folder, part.classes[label]!, `${n}-${i}.png`));
  };
  const { train, validation, test } = drawn.private;
  await byClass(folders.private, train, validation, test);
  await byClass(folders.pretraining, drawn.pretraining.train, drawn.pretraining.test);
  await writeSet(drawn.public, (_, i) => join(folders.public, `${i}.png`));
  return folders;
}

async function writeSet(set: ImageSet, pathOf: (label: number, index: number) => string): Promise<void> {
  const length = set.channels * set.height * set.width;
  const bytes = new Uint8Array(length);
  for (const [i, label] of set.labels.entries()) {
    await set.read([i], bytes);
    const image = Float32Array.from(bytes, (byte) => byte / 255);
    await writePng(pathOf(label, i), image, set);
  }
}
