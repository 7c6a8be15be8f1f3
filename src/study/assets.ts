import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findStep } from "./step-record.ts";

/** Folder of the finished steps that come with the package: a step store that is only read. */
export const assetsFolder: string = fileURLToPath(new URL("../../assets", import.meta.url));

/** What is wrong with one finished step of a store. */
export interface DamagedStep {
  readonly folder: string;
  readonly faults: readonly string[];
}

/** Checks every finished step of a store against its own manifest, contents included. A store that is not there has none. */
export async function verifyStore(root: string): Promise<{ steps: number; damaged: DamagedStep[] }> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory() && /-[0-9a-f]{16}$/.test(entry.name));
  const damaged: DamagedStep[] = [];
  for (const { name } of folders) {
    const found = await findStep(join(root, name), true);
    if (found !== undefined && "faults" in found) damaged.push({ folder: name, faults: found.faults });
  }
  return { steps: folders.length, damaged };
}
