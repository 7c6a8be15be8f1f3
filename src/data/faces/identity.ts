import { type Rng, random } from "../../engine/random.ts";
import { type Gender, type PartKind, partsFor } from "./parts.ts";

/** The disjoint worlds of people. An identity is a range and a number in it; ranges never share one. */
export type Range = "private" | "public" | "pretraining" | "attributes";

/** What people are made from. */
export interface Population {
  readonly seed: number;
  /** Members of a family of look-alikes, at least 1. */
  readonly family: number;
  /** How far members of a family differ, in (0, 1]. */
  readonly identityDistance: number;
}

/** Continuous traits; each lies within `geometryRanges`. Lengths are units of the 400 × 600 canvas, angles degrees. */
export type Geometry = { readonly [K in keyof typeof geometryRanges]: number };

/** Parts in which the members of a family may differ, the most visible first. */
export const memberKinds = [
  "eyebrow",
  "eye",
  "nose",
  "smileLine",
  "miscLine",
  "eyeLine",
  "ear",
  "glasses",
] as const satisfies readonly PartKind[];

export type MemberKind = (typeof memberKinds)[number];

/** What a family of look-alikes shares. */
export interface Family {
  readonly gender: Gender;
  /** `#rrggbb` */
  readonly skin: string;
  readonly hair: string;
  readonly hairColor: string;
  readonly hairFlip: boolean;
  readonly hairBg: string;
  readonly head: string;
  /** Opacity of the shadow of shaved hair, 0 … 0.2. */
  readonly headShave: number;
  readonly facialHair: string;
  readonly body: string;
  /** Width of the head, 0 … 1. */
  readonly fatness: number;
}

/** One person: the family's traits and their own. */
export interface Identity {
  readonly family: Family;
  readonly parts: { readonly [K in MemberKind]: string };
  readonly geometry: Geometry;
  readonly noseFlip: boolean;
}

/** The range of each continuous trait. facesjs itself has fixed positions: these make identity a matter of geometry too. */
export const geometryRanges = {
  halfEyeDistance: [48, 70],
  eyeY: [296, 326],
  browGap: [30, 48],
  noseY: [358, 384],
  mouthY: [428, 452],
  eyeScale: [0.8, 1.2],
  browScale: [0.8, 1.2],
  mouthScale: [0.75, 1.2],
  noseScale: [0.6, 1.2],
  earScale: [0.6, 1.4],
  smileLineScale: [0.4, 2],
  eyeAngle: [-8, 12],
  browAngle: [-12, 16],
  stretchX: [0.94, 1.06],
  stretchY: [0.95, 1.05],
} as const satisfies Record<string, readonly [number, number]>;

const skinTones = [
  "#f2d6cb",
  "#ddb7a0",
  "#fedac7",
  "#f0c5a3",
  "#eab687",
  "#bb876f",
  "#aa816f",
  "#a67358",
  "#ad6453",
  "#74453d",
  "#5c3937",
];
const lightHair = ["#272421", "#3d2314", "#5a3825", "#cc9966", "#2c1608", "#b55239", "#e9c67b", "#d7bf91"];
const darkHair = ["#272421", "#0f0902", "#1c1008", "#30201a"];

/** How often a trait that can be missing is there, by gender. */
const presence: { readonly [K in Gender]: Partial<Record<PartKind, number>> } = {
  female: { hairBg: 0.9, facialHair: 0, eyeLine: 0, smileLine: 0.3, miscLine: 0.4, glasses: 0.12 },
  male: { hairBg: 0.1, facialHair: 0.5, eyeLine: 0.75, smileLine: 0.75, miscLine: 0.5, glasses: 0.12 },
};

/** One of the list, uniformly. */
export function pick<T>(rng: Rng, from: readonly T[]): T {
  return from[rng.int(from.length)]!;
}

/** A number in [low, high). */
export function between(rng: Rng, low: number, high: number): number {
  return low + (high - low) * rng.uniform();
}

/** A `#rrggbb` colour with each channel moved by up to `by`. */
export function jitterColor(rng: Rng, hex: string, by: number): string {
  const channels = hexChannels(hex).map((c) => Math.min(255, Math.max(0, c + Math.round(between(rng, -by, by)))));
  return `#${channels.map((c) => c.toString(16).padStart(2, "0")).join("")}`;
}

/** The three channels of `#rrggbb`, 0 … 255. */
export function hexChannels(hex: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
}

/** The family of a number in a range. */
export function familyAt(population: Population, range: Range, index: number): Family {
  const rng = random(population.seed, "faces", range, "family", index);
  const gender: Gender = rng.uniform() < 0.5 ? "female" : "male";
  const tone = rng.int(skinTones.length);
  const some = (kind: PartKind) =>
    rng.uniform() < (presence[gender][kind] ?? 1) ? pick(rng, partsFor(kind, gender)) : "none";
  return {
    gender,
    skin: jitterColor(rng, skinTones[tone]!, 10),
    hair: some("hair"),
    hairColor: jitterColor(rng, pick(rng, tone < 3 ? lightHair : darkHair), 8),
    hairFlip: rng.uniform() < 0.5,
    hairBg: some("hairBg"),
    head: some("head"),
    headShave: gender === "male" && rng.uniform() < 0.25 ? between(rng, 0.05, 0.2) : 0,
    facialHair: some("facialHair"),
    body: some("body"),
    fatness: between(rng, 0, gender === "female" ? 0.4 : 1),
  };
}

/**
 * The person with the given number in a range: member `index % family` of family `floor(index / family)`. Members differ in
 * the first `round(identityDistance · 8)` of `memberKinds` (at least one) and in their geometry, whose distance from the
 * family's own is scaled by `identityDistance`; each trait is stratified over the family, so that no two members coincide.
 */
export function identityAt(population: Population, range: Range, index: number): Identity {
  const size = population.family;
  const familyIndex = Math.floor(index / size);
  const member = index % size;
  const family = familyAt(population, range, familyIndex);
  const shared = random(population.seed, "faces", range, "members", familyIndex);
  const own = random(population.seed, "faces", range, "member", familyIndex, member);
  const differing = Math.max(1, Math.round(population.identityDistance * memberKinds.length));

  const parts: Partial<Record<MemberKind, string>> = {};
  memberKinds.forEach((kind, rank) => {
    const ids = [...partsFor(kind, family.gender)];
    const order = shared.permutation(ids.length);
    const places = shared.permutation(size);
    const there = shared.uniforms(size);
    const who = rank < differing ? member : 0;
    const has = there[who]! < (presence[family.gender][kind] ?? 1);
    parts[kind] = has ? ids[order[places[who]! % ids.length]!]! : "none";
  });

  const geometry: Partial<Record<keyof Geometry, number>> = {};
  for (const name of Object.keys(geometryRanges) as (keyof Geometry)[]) {
    const [low, high] = geometryRanges[name];
    const centre = shared.uniform();
    const stratum = shared.permutation(size)[member]!;
    const drawn = (stratum + own.uniform()) / size;
    geometry[name] = low + (high - low) * (centre + population.identityDistance * (drawn - centre));
  }
  return {
    family,
    parts: parts as Identity["parts"],
    geometry: geometry as Geometry,
    noseFlip: shared.uniform() < 0.5,
  };
}
