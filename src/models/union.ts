import { z } from "zod";

/** A member of a list: what `kind` chooses it, and its own keys. */
export interface UnionMember<Kind extends string = string, Config extends z.ZodObject = z.ZodObject> {
  readonly kind: Kind;
  readonly config: Config;
}

/** The resolved configuration of whichever member `kind` names. */
export type Chosen<Member extends UnionMember> =
  Member extends UnionMember<infer Kind, infer Config> ? { readonly kind: Kind } & z.output<Config> : never;

/**
 * The schema of "one member of this list": `{ kind: tl-dmi, freeze: layer2 }`, or the bare word `none` for `{ kind: none }`.
 * Objects are strict: a key that the member does not have is an issue.
 * @throws Error for an empty list or a kind that occurs twice.
 */
export function unionOf<const Member extends UnionMember>(members: readonly Member[]): z.ZodType<Chosen<Member>> {
  const repeated = members.find(({ kind }, at) => members.findIndex((other) => other.kind === kind) !== at);
  if (repeated !== undefined) throw new Error(`the kind "${repeated.kind}" is listed twice`);
  const [first, ...rest] = members.map(({ kind, config }) => config.safeExtend({ kind: z.literal(kind) }).strict());
  if (first === undefined) throw new Error("a union needs at least one member");
  const union = z.preprocess(
    (value) => (typeof value === "string" ? { kind: value } : value),
    z.discriminatedUnion("kind", [first, ...rest]),
  );
  // The members' own types are lost in `map`; what parses has the kind of one member and that member's keys.
  return union as z.ZodType as z.ZodType<Chosen<Member>>;
}
