import { createHash } from "node:crypto";

/** What JSON can say. A property whose value is `undefined` counts as absent, as in `JSON.stringify`. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/** A value of a type of its own (a study, a result) as JSON; `canonicalJson` refuses what of it JSON cannot say. */
export function asJson(value: object): JsonValue {
  return value as JsonValue;
}

/**
 * JSON with sorted keys and no spaces: equal values give equal text, whatever order their keys were written in.
 * @throws TypeError for what JSON would silently change (NaN, an infinity, a function, a date), with its path.
 */
export function canonicalJson(value: JsonValue): string {
  return write(value, "value");
}

/** The name of a value by its content: the first 16 hexadecimal digits of the SHA-256 of its canonical JSON. */
export function contentId(value: JsonValue): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex").slice(0, 16);
}

function write(value: unknown, path: string): string {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError(`${path}: ${value} cannot be written as JSON`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map((item, at) => write(item, `${path}[${at}]`)).join(",")}]`;
  if (typeof value === "object" && isPlain(value)) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${write(item, `${path}.${key}`)}`).join(",")}}`;
  }
  throw new TypeError(`${path}: a ${typeof value} cannot be written as JSON`);
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
