import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout: the nearest folder above this file that holds the peer's sources, which are not compiled. */
export const root = findRoot(dirname(fileURLToPath(import.meta.url)));

function findRoot(folder: string): string {
  if (existsSync(join(folder, "bench", "peer", "worker.py"))) return folder;
  if (dirname(folder) === folder) throw new Error("the benchmark runs from a checkout that has bench/peer");
  return findRoot(dirname(folder));
}
