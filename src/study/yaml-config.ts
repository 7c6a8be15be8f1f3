import { readFile } from "node:fs/promises";
import { type Document, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { configIssues } from "./config-issue.ts";
import { type Position, positionsOf } from "./yaml-position.ts";

/**
 * Reads a YAML (or JSON) file and checks it against a schema.
 * @throws UserError where the file cannot be read, is not YAML, or does not fit: see `parseYamlConfig`.
 */
export async function readYamlConfig<Schema extends z.ZodType>(
  schema: Schema,
  file: string,
): Promise<z.output<Schema>> {
  return parseYamlConfig(schema, await readText(file), file);
}

/**
 * Parses YAML text and checks it against a schema; the result has every default filled in.
 * @param file the name that messages show
 * @throws UserError with one line `file:line:column  path  message` for each thing that is wrong.
 */
export function parseYamlConfig<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  file: string,
): z.output<Schema> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, strict: true });
  const broken = [...document.errors, ...document.warnings].map(({ pos, message }) => {
    const { line, col } = lines.linePos(pos[0]);
    return { position: { line, column: col }, path: "", message: lowerFirst(message) };
  });
  if (broken.length > 0) throw configError(file, broken);

  const value = plainValue(document, file);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;

  const positions = positionsOf(document, lines);
  throw configError(
    file,
    configIssues(schema, value, parsed.error.issues).map(({ path, key, message }) => ({
      position: key === undefined ? positions.value(path) : positions.key(path, key),
      path: pathText(key === undefined ? path : [...path, key]),
      message,
    })),
  );
}

interface Finding {
  readonly position: Position;
  readonly path: string;
  readonly message: string;
}

function configError(file: string, findings: readonly Finding[]): UserError {
  const order = (a: Finding, b: Finding) => a.position.line - b.position.line || a.position.column - b.position.column;
  const rows = findings.toSorted(order).map(({ position, path, message }) => {
    return [`${file}:${position.line}:${position.column}`, path, message].filter((part) => part !== "").join("  ");
  });
  return new UserError([...new Set(rows)].join("\n"));
}

function plainValue(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    // An alias without its anchor, or aliases that multiply without bound: the document says so only when it is unfolded.
    throw new UserError(`${file}:1:1  ${lowerFirst(error instanceof Error ? error.message : String(error))}`);
  }
}

/** `defenses[1].freeze` */
function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, "");
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") throw new UserError(`${file}: no such file; expected the path of a YAML file`);
    if (code === "EISDIR") throw new UserError(`${file}: is a folder; expected the path of a YAML file`);
    if (code === "EACCES") throw new UserError(`${file}: may not be read (permission denied)`);
    throw error;
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
