import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { writeFileAtomic } from "../../engine/atomic-file.ts";
import { UserError } from "../../engine/errors.ts";
import { hashFolder } from "../../study/manifest.ts";
import { MANIFEST } from "../../study/run-folder.ts";
import { count } from "../numbers.ts";
import { readRun } from "../read-run.ts";
import { writeCards } from "./cards.ts";
import { addCell, type Collected } from "./collect.ts";

/** What the published artifacts may take. */
export const LIMIT_BYTES = 30_000_000;

/** What was collected. */
export interface Artifacts {
  readonly files: number;
  readonly bytes: number;
}

/**
 * Collects what is published of finished runs into a folder: targets and judges as ONNX with float16 weights, a card for each target, priors,
 * reconstructions and their latents, and a manifest with the SHA-256 of each file, which `tldmi verify` checks. What several cells
 * share is there once. The folder appears whole, in the place of what it held before.
 * @param runs folders of studies or of cells
 * @throws UserError for a run that is not finished or was changed since, one on images that are not anyone's, and for more than `limit`
 * bytes.
 */
export async function collectArtifacts(options: {
  readonly runs: readonly string[];
  readonly out: string;
  readonly limit?: number;
}): Promise<Artifacts> {
  const { runs, limit = LIMIT_BYTES } = options;
  const out = resolve(options.out);
  await checkReplaceable(out);
  const cells = (await Promise.all(runs.map(cellsOf))).flat();
  await mkdir(dirname(out), { recursive: true });
  const part = await mkdtemp(`${out}.part-`);
  try {
    const collected: Collected[] = [];
    for (const cell of new Set(cells.map((cell) => resolve(cell)))) collected.push(await addCell(cell, part));
    await writeCards(collected);
    const files = await hashFolder(part);
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    if (bytes > limit) {
      const largest = files.toSorted((a, b) => b.bytes - a.bytes).slice(0, 3);
      throw new UserError(
        `${out}: ${count(bytes)} bytes are more than the ${count(limit)} that artifacts may take; name fewer runs ` +
          `(largest: ${largest.map((file) => `${file.path}, ${count(file.bytes)}`).join("; ")})`,
      );
    }
    await writeFileAtomic(join(part, MANIFEST), `${JSON.stringify({ schemaVersion: 1, files }, undefined, 2)}\n`);
    await rm(out, { recursive: true, force: true });
    await rename(part, out);
    return { files: files.length, bytes };
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}

/** The run folders of cells that a folder means. */
async function cellsOf(run: string): Promise<string[]> {
  const { kind, cells } = await readRun(run);
  return kind === "cell" ? [run] : cells.map((cell) => join(run, cell.run));
}

/** Only a folder of artifacts is replaced. */
async function checkReplaceable(out: string): Promise<void> {
  const found = await stat(out).catch(() => undefined);
  if (found === undefined) return;
  const names = found.isDirectory() ? await readdir(out) : [basename(out)];
  if (names.length === 0) return;
  const text = names.includes(MANIFEST) ? await readFile(join(out, MANIFEST), "utf8") : "";
  if (names.includes("targets") && text.includes('"targets/')) return;
  throw new UserError(`${out}: holds something else than artifacts; name a new folder, or an empty one`);
}
