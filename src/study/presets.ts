import { stringify } from "yaml";
import { z } from "zod";
import { type Leasts, tooSmall } from "../attacks/least.ts";
import { type Chosen, type UnionMember, unionOf } from "../models/union.ts";
import { property } from "./schema-walk.ts";

/** A member of a list that has the preset `quick`: some of its keys, with other values than their defaults. */
export interface PresetMember extends UnionMember {
  readonly quick: object;
}

/** An attack: a member with the kind of prior that it searches in, and what its numbers must be at least. */
export interface PresetAttack extends PresetMember {
  readonly prior: string | null;
  priorOf?(config: never): string;
  least?(config: never, perIdentity: number): Leasts;
}

/** A kind of prior: a member that may start from another one. */
export interface PresetPrior extends PresetMember {
  startsFrom?(config: never): string | undefined;
}

/** The key `preset` of a member, whose description shows what it stands for. */
const presetOf = (quick: object) =>
  z
    .enum(["quick"])
    .optional()
    .describe(`other defaults of the keys of this entry; \`quick\`: \`${flow(quick)}\``);

const flow = (value: object) => stringify(value, { collectionStyle: "flow", lineWidth: 0 }).trim();

/**
 * The schema of "one member of this list", which may name a preset. A key that is written wins over the preset, the preset over the
 * default; what comes of it is an entry with these keys, as if they had been written.
 */
export function presettable<const Member extends PresetMember>(members: readonly Member[]): z.ZodType<Chosen<Member>> {
  const union = unionOf(
    members.map((member) => ({ ...member, config: member.config.safeExtend({ preset: presetOf(member.quick) }) })),
  );
  return z.preprocess((value) => unfolded(members, value), union) as z.ZodType as z.ZodType<Chosen<Member>>;
}

/** An entry with the keys of its preset. One that names no preset, or none that there is, stays as it is. */
function unfolded(members: readonly PresetMember[], value: unknown): unknown {
  if (property(value, "preset") !== "quick") return value;
  const member = members.find(({ kind }) => kind === property(value, "kind"));
  if (member === undefined) return value;
  const { preset: _, ...written } = value as Readonly<Record<string, unknown>>;
  return over(member.quick, written);
}

/** `written` over `base`, group by group; a group of another kind has keys of its own. */
function over(base: object, written: object): object {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(written)) {
    const below = merged[key];
    merged[key] = isGroup(below) && isGroup(value) && sameKind(below, value) ? over(below, value) : value;
  }
  return merged;
}

/**
 * A study in which attacks with the preset `quick` look for as many candidates as reconstructions are asked for, and among as many latents,
 * where those of the preset are fewer. What is written stays, and is somebody's mistake where it is too small.
 * @param usual reconstructions of each identity where the study does not say
 */
export function withPresetRoom(attacks: readonly PresetAttack[], usual: number, study: unknown): unknown {
  const entries = property(study, "attacks");
  const perIdentity = property(property(study, "reconstructions"), "perIdentity") ?? usual;
  if (!Array.isArray(entries) || typeof perIdentity !== "number") return study;
  return { ...(study as object), attacks: entries.map((entry: unknown) => roomy(attacks, entry, perIdentity)) };
}

function roomy(attacks: readonly PresetAttack[], entry: unknown, perIdentity: number): unknown {
  const attack = attacks.find(({ kind }) => kind === property(entry, "kind"));
  if (attack?.least === undefined || property(entry, "preset") !== "quick") return entry;
  const resolved = settingsOf(attack, entry);
  if (resolved === undefined) return entry;
  return tooSmall(resolved, attack.least(resolved as never, perIdentity)).reduce(
    (keys, { path, least }) => over(nested(path, least), keys),
    entry as object,
  );
}

/** The settings of an attack that an entry names; undefined where keys are wrong, of which the schema will tell. */
function settingsOf({ quick, config }: PresetAttack, entry: unknown): Readonly<Record<string, unknown>> | undefined {
  const { kind: _, name: __, preset, ...written } = (typeof entry === "string" ? {} : entry) as Record<string, unknown>;
  return config.safeParse(preset === "quick" ? over(quick, written) : written).data;
}

const nested = ([key, ...rest]: readonly string[], value: number): object => ({
  [key!]: rest.length === 0 ? value : nested(rest, value),
});

const sameKind = (base: object, written: object) =>
  property(written, "kind") === undefined || property(written, "kind") === property(base, "kind");

const isGroup = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * A study in which attacks with the preset `quick` bring the same preset of the priors that they search in, and of those that these
 * start from. A prior that the study lists stays as it is, and so does one in which an attack without the preset searches too: nobody's
 * attack is made weaker by another one's preset.
 */
export function withPresetPriors(
  attacks: readonly PresetAttack[],
  priors: readonly PresetPrior[],
  study: unknown,
): unknown {
  const entries = property(study, "attacks");
  if (!Array.isArray(entries)) return study;
  const listed = property(study, "priors") ?? [];
  if (!Array.isArray(listed)) return study;
  const searched = new Map<string, boolean>();
  for (const entry of entries as unknown[]) {
    const kind: unknown = typeof entry === "string" ? entry : property(entry, "kind");
    const quick = property(entry, "preset") === "quick";
    const attack = attacks.find((one) => one.kind === kind);
    for (const prior of chainOf(attack && priorOf(attack, entry), priors))
      searched.set(prior, quick && (searched.get(prior) ?? true));
  }
  const named = new Set(listed.map((entry: unknown) => (typeof entry === "string" ? entry : property(entry, "kind"))));
  const added = [...searched].flatMap(([kind, quick]) =>
    quick && !named.has(kind) ? [{ kind, preset: "quick" }] : [],
  );
  return added.length === 0 ? study : { ...(study as object), priors: [...(listed as unknown[]), ...added] };
}

/** The kind of prior that an attack searches in with an entry's settings. */
function priorOf(attack: PresetAttack, entry: unknown): string | null {
  const settings = attack.priorOf && settingsOf(attack, entry);
  return settings === undefined ? attack.prior : attack.priorOf!(settings as never);
}

/** A kind of prior, and those that its training starts from. */
function chainOf(kind: string | null | undefined, priors: readonly PresetPrior[]): string[] {
  const family = priors.find((prior) => prior.kind === kind);
  if (family === undefined) return [];
  const from = family.startsFrom?.(family.config.parse(family.quick) as never);
  return [family.kind, ...chainOf(from, priors)];
}
