/** The part of JSON Schema that the study file's schema uses. */
export interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly pattern?: string;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

/** A choice of a list: its kinds, each with the keys that it knows. */
export interface Kinds {
  readonly kinds: ReadonlyMap<string, Schema>;
  /** Those that may stand alone, without further keys. */
  readonly bare: ReadonlySet<string>;
}

/** The schema that a reference names; any other schema itself. Its own description stays. */
export function resolved(schema: Schema, root: Schema): Schema {
  const name = schema.$ref?.replace("#/$defs/", "");
  const found = name === undefined ? undefined : root.$defs?.[name];
  return found === undefined ? schema : { ...found, ...(schema.description && { description: schema.description }) };
}

/** The kinds to choose from, where a schema is such a choice. */
export function kindsOf(schema: Schema): Kinds | undefined {
  const words = schema.anyOf?.find((member) => member.enum !== undefined)?.enum ?? [];
  const members = schema.oneOf ?? schema.anyOf?.find((member) => member.oneOf !== undefined)?.oneOf ?? [];
  const kinds = new Map(
    members.flatMap((member) => {
      const kind = member.properties?.kind?.const;
      return typeof kind === "string" ? [[kind, member] as const] : [];
    }),
  );
  return kinds.size === 0 ? undefined : { kinds, bare: new Set(words.map(String)) };
}

/** What a new entry begins with: the first kind, what must be there, or nothing yet. */
export function firstValue(schema: Schema, root: Schema): unknown {
  const plain = resolved(schema, root);
  const choice = kindsOf(plain);
  const [kind] = choice?.kinds.keys() ?? [];
  if (choice !== undefined && kind !== undefined) return chosen(kind, {}, choice);
  if (plain.enum !== undefined) return plain.enum[0];
  if (plain.type === "array") return [];
  if (plain.properties !== undefined) {
    const needed = (plain.required ?? []).map((key) => [key, firstValue(plain.properties?.[key] ?? {}, root)] as const);
    return Object.fromEntries(needed.filter(([, value]) => value !== undefined));
  }
  if (plain.type === "number" || plain.type === "integer") return plain.minimum ?? 1;
  if (plain.type === "boolean") return true;
  return plain.type === "string" ? "" : undefined;
}

/** A choice as a study file has it: a bare word where it has no keys and may be one. */
export function chosen(kind: string, keys: Readonly<Record<string, unknown>>, { bare }: Kinds): unknown {
  return Object.keys(keys).length === 0 && bare.has(kind) ? kind : { kind, ...keys };
}

/** The kind and keys of a choice as they were typed. */
export function partsOf(value: unknown): { readonly kind: string; readonly keys: Readonly<Record<string, unknown>> } {
  if (typeof value === "string") return { kind: value, keys: {} };
  const { kind, ...keys } = isMapping(value) ? value : {};
  return { kind: typeof kind === "string" ? kind : "", keys };
}

/** Whether a value is a mapping of keys. */
export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A mapping with a key set, or left out where the value is undefined. */
export function withKey(
  mapping: Readonly<Record<string, unknown>>,
  key: string,
  value: unknown,
): Readonly<Record<string, unknown>> {
  const { [key]: _, ...rest } = mapping;
  if (value === undefined) return rest;
  return key in mapping ? { ...mapping, [key]: value } : { ...rest, [key]: value };
}
