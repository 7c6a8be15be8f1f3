// How pages that come from code and records are written. With `--check` on the command line nothing is: what is out of date is named, and the exit code is 1.
import { mkdir } from "node:fs/promises";
import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { writeFileAtomic } from "../dist/engine/atomic-file.js";
import { textIfThere } from "../dist/engine/text-if-there.js";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Whether pages are only held against what they would be now. */
export const checking = process.argv.includes("--check");

/** The command line's arguments, without `--check`. */
export const pageArguments = process.argv.slice(2).filter((argument) => argument !== "--check");

/** Writes a page or figure, or says that it is out of date. @param command what writes it */
export async function writePage(file, text, command) {
  if (!checking) {
    await mkdir(dirname(file), { recursive: true });
    await writeFileAtomic(file, text);
    return;
  }
  if ((await textIfThere(file)) === text) return;
  console.error(`${relative(root, file)} is out of date: ${command}`);
  process.exitCode = 1;
}
