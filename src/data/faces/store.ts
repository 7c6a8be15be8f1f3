import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { mkdir, open, rename } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { ImageSet } from "../dataset.ts";
import type { Recipe } from "./draw.ts";

/** Raised when the drawings change, so that no cache of an older look is used. */
const lookVersion = 1;
const headerBytes = 1024;

/** What determines a set of drawn images: `images` of each class `first … first + classes.length − 1`. */
export interface SetPlan {
  readonly name: string;
  readonly recipe: Recipe;
  readonly classes: readonly string[];
  /** Which of the classes have images here, as [from, to); all by default. */
  readonly labels?: readonly [number, number];
  /** Images of each class. */
  readonly images: number;
}

/** Where sets are kept, and who is told while one is drawn. */
export interface Store {
  readonly folder: string;
  readonly progress?: ((done: number, total: number, what: string) => void) | undefined;
}

/**
 * The image set of a plan. It is drawn when it is first read, into `<hash>.u8` of the store's folder: a header of 1,024 bytes
 * (JSON, padded by spaces), then the images. A set whose drawing was cut short goes on where it stopped. Two processes that
 * draw one set at once do no harm: they write the same bytes to the same places.
 */
export function drawnSet(plan: SetPlan, store: Store): ImageSet {
  const { recipe, images, name } = plan;
  const [from, to] = plan.labels ?? [0, plan.classes.length];
  const size = (to - from) * images;
  const imageBytes = 3 * recipe.size * recipe.size;
  const content = { look: lookVersion, versions: packageVersions(), recipe, labels: [from, to], images };
  const hash = createHash("sha256").update(JSON.stringify(content)).digest("hex");
  const path = join(store.folder, `${hash}.u8`);
  const totalBytes = headerBytes + size * imageBytes;
  let drawing: Promise<void> | undefined;

  const isThere = () => existsSync(path) && statSync(path).size === totalBytes;
  const draw = async () => {
    // The drawings and the rasteriser take long to load, and most sets are drawn already or only planned.
    const { drawInOrder } = await import("./studio.ts");
    await mkdir(store.folder, { recursive: true });
    const partial = `${path}.part`;
    const file = await open(partial, existsSync(partial) ? "r+" : "w+");
    try {
      const drawn = Math.max(0, Math.floor(((await file.stat()).size - headerBytes) / imageBytes));
      const header = JSON.stringify({
        name,
        format: "uint8 planes",
        shape: [size, 3, recipe.size, recipe.size],
        ...content,
      });
      await file.write(Buffer.from(header.padEnd(headerBytes)), 0, headerBytes, 0);
      const place = (index: number) => ({ label: from + Math.floor(index / images), k: index % images });
      await drawInOrder(recipe, drawn, size, place, async (first, bytes) => {
        await file.write(bytes, 0, bytes.length, headerBytes + first * imageBytes);
        store.progress?.(first + bytes.length / imageBytes, size, `drawing ${name}`);
      });
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path).catch((error: unknown) => {
      if (!isThere()) throw error;
    });
  };

  return {
    name,
    channels: 3,
    height: recipe.size,
    width: recipe.size,
    size,
    classes: plan.classes,
    labels: Int32Array.from({ length: size }, (_, i) => from + Math.floor(i / images)),
    hash,
    async read(indices, out) {
      if (!isThere()) {
        drawing ??= draw().finally(() => {
          drawing = undefined;
        });
        await drawing;
      }
      const file = openSync(path, "r");
      try {
        for (let i = 0; i < indices.length; i++) {
          const index = indices[i]!;
          if (!(index >= 0 && index < size)) throw new RangeError(`${name}: image ${index} of ${size}`);
          readSync(file, out, i * imageBytes, imageBytes, headerBytes + index * imageBytes);
        }
      } finally {
        closeSync(file);
      }
    },
  };
}

/** The versions of the packages whose drawings and rasteriser the bytes depend on. */
function packageVersions(): Record<string, string> {
  const folders = createRequire(import.meta.url).resolve.paths("facesjs") ?? [];
  const names = ["facesjs", "@resvg/resvg-js", "@dicebear/core", "@dicebear/toon-head", "@dicebear/avataaars"];
  return Object.fromEntries(
    names.map((name) => {
      const file = folders.map((folder) => join(folder, name, "package.json")).find((at) => existsSync(at));
      const { version } = file
        ? (JSON.parse(readFileSync(file, "utf8")) as { version: string })
        : { version: "unknown" };
      return [name, version];
    }),
  );
}
