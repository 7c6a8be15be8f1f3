// What a command has left on this machine, and the copy of it that is committed.
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { writeFileAtomic } from "../dist/engine/atomic-file.js";
import { textIfThere } from "../dist/engine/text-if-there.js";
import { checking } from "./written-pages.mjs";

async function readJson(file) {
  const text = await textIfThere(file);
  return text === undefined ? undefined : JSON.parse(text);
}

/** What lies in `own`, which is kept as `kept`, or else what was kept before, as where pages are only checked; undefined where there is neither. */
export async function keptJson(own, kept) {
  const found = checking ? undefined : await readJson(own);
  if (found === undefined) return readJson(kept);
  await mkdir(dirname(kept), { recursive: true });
  await writeFileAtomic(kept, `${JSON.stringify(found, undefined, 1)}\n`);
  return found;
}
