import { readFile } from "node:fs/promises";

/** The text of a file; undefined where there is no such file. @throws the system's error where it cannot be read. */
export function textIfThere(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}
