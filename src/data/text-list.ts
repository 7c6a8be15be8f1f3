import { readFile } from "node:fs/promises";
import { UserError } from "../engine/errors.ts";

/** A text file's lines that are not empty, with their numbers. @throws UserError where it cannot be read. */
export async function linesOf(path: string): Promise<{ readonly text: string; readonly number: number }[]> {
  const text = await readFile(path, "utf8").catch((error: Error) => {
    throw new UserError(`${path}: cannot be read: ${error.message}`);
  });
  return text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((line, at) => ({ text: line.trim(), number: at + 1 }))
    .filter((line) => line.text !== "");
}

/** Lines `name label` as the field's lists have them: an image and a whole number. @throws UserError with the line for another form. */
export async function labelledList(path: string): Promise<{ readonly name: string; readonly label: number }[]> {
  const lines = await linesOf(path);
  if (lines.length === 0) throw new UserError(`${path}: has no lines; expected an image and a number on each`);
  return lines.map(({ text, number }) => {
    const [, name, label] = /^(\S+)\s+(\d{1,9})$/.exec(text) ?? [];
    if (name === undefined)
      throw new UserError(`${path}:${number}: expected an image and a number, got "${text.slice(0, 80)}"`);
    return { name, label: Number(label) };
  });
}
