import type { TextStream } from "./io.ts";

/** Prints one JSON value, indented, with a line break at its end. */
export function printJson(stream: TextStream, value: unknown): void {
  stream.write(`${JSON.stringify(value, undefined, 2)}\n`);
}
