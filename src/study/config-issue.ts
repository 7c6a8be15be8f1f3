import type { z } from "zod";
import { allowedKeys, property } from "./schema-walk.ts";
import { suggest, suggestion } from "./suggest.ts";

/** One thing that is wrong with a configuration: where (a key of a mapping, or a value) and what. */
export interface ConfigIssue {
  readonly path: readonly PropertyKey[];
  /** The offending key of the mapping at `path`, where the key itself is wrong. */
  readonly key?: string;
  readonly message: string;
}

/** Says in plain words what a schema found wrong with a value: one entry an unknown key, a missing key or a wrong value. */
export function configIssues(schema: z.ZodType, value: unknown, issues: readonly z.core.$ZodIssue[]): ConfigIssue[] {
  return issues.flatMap((issue) => explain(schema, value, issue));
}

function explain(schema: z.ZodType, root: unknown, issue: z.core.$ZodIssue): ConfigIssue[] {
  const path = issue.path;
  const seen = path.reduce(property, root);
  const one = (message: string): ConfigIssue[] => [{ path, message }];
  switch (issue.code) {
    case "unrecognized_keys": {
      const allowed = allowedKeys(schema, root, path);
      return issue.keys.map((key) => ({ path, key, message: `unknown key "${key}"${suggestion(key, allowed)}` }));
    }
    case "invalid_type":
      return one(expected(typeName(issue.expected), seen));
    case "invalid_value": {
      const allowed = issue.values.map(String);
      const wanted = allowed.length === 1 ? quote(issue.values[0]) : `one of ${issue.values.map(quote).join(", ")}`;
      const near = typeof seen === "string" ? suggest(seen, allowed) : undefined;
      return one(expected(wanted, seen) + (near === undefined ? "" : `; did you mean "${near}"?`));
    }
    case "invalid_union":
      return issue.discriminator === undefined ? anyOf(schema, root, issue) : wrongKind(root, issue);
    case "too_small":
      return one(expected(bound(issue.origin, issue.inclusive ? "at least" : "more than", issue.minimum), seen));
    case "too_big":
      return one(expected(bound(issue.origin, issue.inclusive ? "at most" : "less than", issue.maximum), seen));
    case "not_multiple_of":
      return one(expected(`a multiple of ${issue.divisor}`, seen));
    case "invalid_format":
      return one(
        `${ownMessage(issue) ?? `expected a text of the form ${issue.pattern ?? issue.format}`}, got ${show(seen)}`,
      );
    case "invalid_key": {
      const key = String(path.at(-1));
      return [{ path: path.slice(0, -1), key, message: `"${key}" is no valid key here` }];
    }
    default:
      return one(ownMessage(issue) ?? `not valid, got ${show(seen)}`);
  }
}

/** Of the members that could not be met, the one that came nearest speaks; wrong types at the root are said together. */
function anyOf(schema: z.ZodType, root: unknown, issue: z.core.$ZodIssueInvalidUnion): ConfigIssue[] {
  const branches = issue.errors.map((branch) =>
    branch.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })),
  );
  const types = branches.map(([only]) => {
    const atRoot = only !== undefined && only.path.length === issue.path.length;
    return atRoot && only.code === "invalid_type" ? typeName(only.expected) : undefined;
  });
  const nearest = branches.find((_, at) => types[at] === undefined);
  if (nearest !== undefined) return nearest.flatMap((inner) => explain(schema, root, inner));
  const wanted = [...new Set(types)].join(" or ");
  return [{ path: issue.path, message: expected(wanted, issue.path.reduce(property, root)) }];
}

/** The kind may be written as `kind: x` or as the bare word `x`, or be missing: the issue goes to what is there. */
function wrongKind(root: unknown, issue: z.core.$ZodIssueInvalidUnion): ConfigIssue[] {
  const around = issue.path.slice(0, -1);
  const owner = around.reduce(property, root);
  const seen = typeof owner === "string" ? owner : property(owner, issue.path.at(-1) ?? "");
  const allowed = "options" in issue ? (issue.options ?? []).map(String) : [];
  const list = `allowed: ${allowed.join(", ")}`;
  if (seen === undefined) return [{ path: around, message: `missing key "${issue.discriminator}"; ${list}` }];
  const near = suggest(String(seen), allowed);
  const hint = near === undefined ? `; ${list}` : `; did you mean "${near}"? (${list})`;
  const path = typeof owner === "string" ? around : issue.path;
  return [
    { path, message: `unknown ${issue.discriminator} ${typeof seen === "string" ? quote(seen) : show(seen)}${hint}` },
  ];
}

/** A message that the schema's author wrote, as opposed to the library's own wording. */
function ownMessage(issue: z.core.$ZodIssue): string | undefined {
  return /^(Invalid|Too (small|big)|Unrecognized)/.test(issue.message) ? undefined : issue.message;
}

function expected(wanted: string, seen: unknown): string {
  return seen === undefined ? `missing; expected ${wanted}` : `expected ${wanted}, got ${show(seen)}`;
}

function bound(origin: string, relation: string, limit: number | bigint): string {
  if (origin === "string") return `a text of ${relation} ${limit} letters`;
  if (origin === "array" || origin === "set") return `a list of ${relation} ${limit} ${limit === 1 ? "item" : "items"}`;
  return `a number of ${relation} ${limit}`;
}

function typeName(type: string): string {
  const names: Readonly<Record<string, string>> = {
    int: "a whole number",
    number: "a number",
    nan: "not a number",
    string: "a text",
    boolean: "true or false",
    object: "a mapping (key: value)",
    record: "a mapping (key: value)",
    array: "a list",
    tuple: "a list",
    null: "null",
  };
  return names[type] ?? type;
}

function quote(value: unknown): string {
  return typeof value === "string" ? `"${value}"` : String(value);
}

/** A value as a message shows it: short, and with its type where that isn't plain. */
function show(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "a mapping";
  if (value === null) return "nothing (null)";
  if (value === undefined) return "nothing";
  if (typeof value === "string") {
    return `the text "${value.length > 60 ? `${value.slice(0, 57)}…` : value}"`;
  }
  return String(value);
}
