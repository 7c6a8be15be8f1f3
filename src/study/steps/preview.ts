import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Trail } from "../../attacks/trail.ts";
import { contactSheet } from "../../data/image-file.ts";
import { type ImageSize, imageLength } from "../../data/image-size.ts";
import { writeFileAtomic } from "../../engine/atomic-file.ts";

/** Folder of pictures in an unfinished attack's folder; gone when the attack is done. */
export const PREVIEW = "preview";
/** In it: the first pictures of the identities at hand, their newest ones, and what they are of. */
export const PREVIEW_FILES = { first: "first.png", latest: "latest.png", about: "preview.json" } as const;

/** What preview.json holds. */
export interface Preview {
  readonly schemaVersion: 1;
  /** The attacked class of each picture, from left to right. */
  readonly labels: readonly number[];
  /** Height and width of one picture, in pixels. */
  readonly size: readonly [number, number];
  /** How often the pictures were taken since the first ones. */
  readonly frame: number;
}

const MOST_PICTURES = 12;
const EVERY_ITERATIONS = 5;
const EVERY_MS = 2000;

/** A trail that keeps pictures of an attack on its way in `<dir>/preview`: one reconstruction of each identity, side by side. */
export interface PreviewTrail extends Trail {
  /** Removes the pictures: they are no part of what the step gives. */
  remove(): Promise<void>;
}

/** @param now milliseconds from any fixed moment */
export function previewTrail(dir: string, size: ImageSize, now: () => number = () => performance.now()): PreviewTrail {
  const folder = join(dir, PREVIEW);
  let shown = "";
  let frame = 0;
  let taken = Number.NEGATIVE_INFINITY;
  return {
    every: EVERY_ITERATIONS,
    async seen(images, labels) {
      const rows = firstOfEach(labels).slice(0, MOST_PICTURES);
      const who = rows.map((row) => labels[row]!);
      const others = who.join() !== shown;
      if (!others && now() - taken < EVERY_MS) return;
      taken = now();
      frame = others ? 0 : frame + 1;
      shown = who.join();
      const sheet = await contactSheet(pick(images, rows, imageLength(size)), size, { columns: rows.length, gap: 0 });
      if (others) await writeFileAtomic(join(folder, PREVIEW_FILES.first), sheet);
      await writeFileAtomic(join(folder, PREVIEW_FILES.latest), sheet);
      const about: Preview = { schemaVersion: 1, labels: who, size: [size.height, size.width], frame };
      await writeFileAtomic(join(folder, PREVIEW_FILES.about), `${JSON.stringify(about)}\n`);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

function firstOfEach(labels: Int32Array): number[] {
  return [...labels.keys()].filter((row) => labels.indexOf(labels[row]!) === row);
}

function pick(images: Float32Array, rows: readonly number[], length: number): Float32Array {
  const picked = new Float32Array(rows.length * length);
  for (const [at, row] of rows.entries()) picked.set(images.subarray(row * length, (row + 1) * length), at * length);
  return picked;
}
