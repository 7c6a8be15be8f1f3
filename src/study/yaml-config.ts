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
  const checked = checkYamlConfig(schema, text);
  if ("data" in checked) return checked.data;
  const rows = checked.findings.map(({ line, column, path, message }) =>
    [`${file}:${line}:${column}`, pathText(path), message].filter((part) => part !== "").join("  "),
  );
  throw new UserError([...new Set(rows)].join("\n"));
}

/** One thing that is wrong with a file: where it stands, the path to its key or value, and what is wrong. */
export interface Finding extends Position {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Checks YAML text against a schema: the value with every default filled in, or what is wrong in the order of its lines. */
export function checkYamlConfig<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
): { readonly data: z.output<Schema> } | { readonly findings: readonly Finding[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, strict: true });
  const broken = [...document.errors, ...document.warnings].map(({ pos, message }) => {
    const { line, col } = lines.linePos(pos[0]);
    return { line, column: col, path: [], message: lowerFirst(message) };
  });
  if (broken.length > 0) return { findings: inOrder(broken) };

  const plain = plainValue(document);
  if ("findings" in plain) return plain;
  const parsed = schema.safeParse(plain.value);
  if (parsed.success) return { data: parsed.data };

  const positions = positionsOf(document, lines);
  const findings = configIssues(schema, plain.value, parsed.error.issues).map(({ path, key, message }) => ({
    ...(key === undefined ? positions.value(path) : positions.key(path, key)),
    path: key === undefined ? path : [...path, key],
    message,
  }));
  return { findings: inOrder(findings) };
}

const inOrder = (findings: readonly Finding[]) => findings.toSorted((a, b) => a.line - b.line || a.column - b.column);

function plainValue(document: Document): { readonly value: unknown } | { readonly findings: readonly Finding[] } {
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) };
  } catch (error) {
    // An alias without its anchor, or aliases that multiply without bound: the document says so only when it is unfolded.
    const message = lowerFirst(error instanceof Error ? error.message : String(error));
    return { findings: [{ line: 1, column: 1, path: [], message }] };
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
