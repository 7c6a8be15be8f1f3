import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { ImageSet } from "../dataset.ts";
import type { Recipe } from "./draw.ts";
import { type ImageFileLayout, openPartialImages, openToRead, type PartialImages } from "./partial-images.ts";

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

/** Sets of up to so many images are drawn whole. */
const SMALL = 600;
/** Once more than this share of a larger one is wanted, the rest is drawn with it: many at once are drawn on two threads. */
const LARGE_SHARE = 0.6;

/**
 * The image set of a plan. What is read of it and was not drawn yet is drawn then, into `<hash>.u8` of the store's folder: a header of
 * 1,024 bytes (JSON, padded by spaces), then the images. Until all are there its name ends in `.part`, and a file beside it says which are
 * (`PartialImages`); drawing that was cut short goes on where it stopped. Two processes that draw one set at once do no harm: they write
 * the same bytes to the same places.
 */
export function drawnSet(plan: SetPlan, store: Store): ImageSet {
  const { recipe, images, name } = plan;
  const [from, to] = plan.labels ?? [0, plan.classes.length];
  const size = (to - from) * images;
  const imageBytes = 3 * recipe.size * recipe.size;
  const content = { look: lookVersion, versions: packageVersions(), recipe, labels: [from, to], images };
  const hash = createHash("sha256").update(JSON.stringify(content)).digest("hex");
  const path = join(store.folder, `${hash}.u8`);
  const layout: ImageFileLayout = { headerBytes, imageBytes, size };
  let drawing: Promise<void> = Promise.resolve();

  const isThere = () => statSync(path, { throwIfNoEntry: false })?.size === headerBytes + size * imageBytes;
  const placeOf = (index: number) => ({ label: from + Math.floor(index / images), k: index % images });

  const drawInto = async (file: PartialImages, wanted: readonly number[]) => {
    // The drawings and the rasteriser take long to load, and most sets are drawn already or only planned.
    const { drawInOrder } = await import("./studio.ts");
    const before = file.count();
    await drawInOrder(recipe, wanted.map(placeOf), async (first, bytes) => {
      const chunk = wanted.slice(first, first + bytes.length / imageBytes);
      await file.write(chunk, bytes);
      const done = first + chunk.length;
      // A few among many are drawn while something else goes on, which has a progress of its own.
      if (before + wanted.length === size) store.progress?.(before + done, size, `drawing ${name}`);
    });
  };

  const provide = async (indices: ArrayLike<number>) => {
    if (isThere()) return;
    await mkdir(store.folder, { recursive: true });
    const shape = [size, 3, recipe.size, recipe.size];
    const header = JSON.stringify({ name, format: "uint8 planes", shape, ...content }).padEnd(headerBytes);
    const file = await openPartialImages(path, Buffer.from(header), layout);
    try {
      const few = file.missing(indices);
      const whole = size <= SMALL || file.count() + few.length > LARGE_SHARE * size;
      if (few.length > 0) await drawInto(file, whole ? file.missing() : few);
      if (file.count() === size) await file.finish(isThere);
    } finally {
      await file.close();
    }
  };

  /** Draws what is missing, one reader after the other: what the first has drawn the next need not. */
  const openDrawn = async (indices: ArrayLike<number>) => {
    const mine = drawing.catch(() => undefined).then(() => provide(indices));
    drawing = mine;
    await mine;
    return openToRead(path, isThere);
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
      for (let i = 0; i < indices.length; i++) {
        const index = indices[i]!;
        if (!(index >= 0 && index < size)) throw new RangeError(`${name}: image ${index} of ${size}`);
      }
      const file = isThere() ? openSync(path, "r") : await openDrawn(indices);
      try {
        for (let i = 0; i < indices.length; i++) {
          readSync(file, out, i * imageBytes, imageBytes, headerBytes + indices[i]! * imageBytes);
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
