import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Folders with pages that tell what to do. */
const FOLDERS = ["docs", "examples", "studies", "bench", "configs"];
/** It tells what was. */
const CHANGELOG = "CHANGELOG.md";

/** A command of this program as a page has it. */
export interface DocumentedCommand {
  readonly page: string;
  /** What stands after `tldmi`, in words. */
  readonly args: readonly string[];
  /** Whether it is to be called as it stands; else it is only spoken of, and may lack what it needs. */
  readonly whole: boolean;
}

/** Every page of the project, with its text; commands that go over several lines stand on one. */
export async function readPages(): Promise<{ readonly page: string; readonly text: string }[]> {
  const listed = await Promise.all(
    FOLDERS.map(async (folder) =>
      (await readdir(`${root}${folder}`, { recursive: true })).map((path) => `${folder}/${path}`),
    ),
  );
  const pages = [...(await readdir(root)), ...listed.flat()]
    .filter((path) => path.endsWith(".md") && path !== CHANGELOG)
    .toSorted();
  return Promise.all(
    pages.map(async (page) => ({ page, text: (await readFile(`${root}${page}`, "utf8")).replaceAll(/\\\n\s*/g, "") })),
  );
}

/** Where a command ends: at the end of its line or its code, at a remark, and where the shell goes on with another. */
const END = /[`\n]|\s+(?:#|&&|\|\|?|>|2>)\s|;/;

/** The commands in a page: those that begin with `npx`, in blocks and in sentences, and those that are spoken of. */
export function commandsIn(page: string, text: string): DocumentedCommand[] {
  return [...text.matchAll(/(npx |`)tldmi (?=[a-z-])/g)].map((found) => ({
    page,
    args: wordsOf(text.slice(found.index + found[0].length).split(END)[0]!),
    whole: found[1] === "npx ",
  }));
}

/** A line's words as a shell makes them, without the dots that stand for more of the same. */
function wordsOf(line: string): string[] {
  const words = line.trim().matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g);
  return [...words].map(([, double, single, bare]) => double ?? single ?? bare!).filter((word) => word !== "…");
}
