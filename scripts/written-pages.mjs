// How pages that come from records are written. With `--check` on the command line nothing is: what is out of date is named, and the exit code is 1.
import { mkdir, readFile } from "node:fs/promises";
import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { writeFileAtomic } from "../dist/engine/atomic-file.js";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Whether pages are only held against what they would be now. */
export const checking = process.argv.includes("--check");

/** The command line's arguments, without `--check`. */
export const pageArguments = process.argv.slice(2).filter((argument) => argument !== "--check");

/** Writes a page or figure, or says that it is out of date. */
export async function writePage(file, text) {
  if (!checking) {
    await mkdir(dirname(file), { recursive: true });
    await writeFileAtomic(file, text);
    return;
  }
  const written = await readFile(file, "utf8").catch((error) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (written === text) return;
  console.error(`${relative(root, file)} is not what its records say now: write it again`);
  process.exitCode = 1;
}
