import { z } from "zod";

/** The key that tells the members of a discriminated union apart. */
const KIND = "kind";

/**
 * The keys that the schema allows in the object at `path` of `value`; the value chooses the member where a union stands.
 * Empty where no object belongs there.
 */
export function allowedKeys(schema: z.ZodType, value: unknown, path: readonly PropertyKey[]): readonly string[] {
  let here: z.ZodType | undefined = choose(schema, value);
  let seen = value;
  for (const key of path) {
    here = here === undefined ? undefined : child(here, key);
    seen = property(seen, key);
    here = here === undefined ? undefined : choose(here, seen);
  }
  return here instanceof z.ZodObject ? Object.keys(here.shape) : [];
}

/** What `value` holds under `key`, or undefined. */
export function property(value: unknown, key: PropertyKey): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<PropertyKey, unknown>>)[key];
}

/** Takes off what does not change the shape (defaults, optional, preprocessing) and picks the member of a union. */
function choose(schema: z.core.$ZodType, value: unknown): z.ZodType | undefined {
  if (schema instanceof z.ZodPipe) {
    return choose(schema.in instanceof z.ZodTransform ? schema.out : schema.in, value);
  }
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodReadonly
  ) {
    return choose(schema.unwrap(), value);
  }
  if (schema instanceof z.ZodUnion) {
    const members = schema.options.flatMap((option) => choose(option, value) ?? []);
    const objects = members.filter((member) => member instanceof z.ZodObject);
    return objects.find((member) => hasKind(member, property(value, KIND))) ?? objects[0] ?? members[0];
  }
  return schema instanceof z.ZodType ? schema : undefined;
}

function hasKind(member: z.ZodObject, kind: unknown): boolean {
  const schema: unknown = member.shape[KIND];
  return schema instanceof z.ZodLiteral && schema.safeParse(kind).success;
}

function child(schema: z.ZodType, key: PropertyKey): z.ZodType | undefined {
  const inner: unknown =
    schema instanceof z.ZodObject
      ? property(schema.shape, key)
      : schema instanceof z.ZodArray
        ? schema.element
        : schema instanceof z.ZodTuple
          ? schema.def.items[Number(key)]
          : schema instanceof z.ZodRecord
            ? schema.valueType
            : undefined;
  return inner instanceof z.ZodType ? inner : undefined;
}
