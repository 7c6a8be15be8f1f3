import type { z } from "zod";
import type { StateDict } from "../engine/store.ts";
import type { Work } from "../engine/work.ts";
import type { priors } from "../priors/index.ts";
import type { Prior } from "../priors/prior.ts";
import type { Access, Handles } from "./access.ts";
import type { LabelSurrogateSettings } from "./label-surrogates.ts";
import type { Leasts } from "./least.ts";
import type { ScoreMap, ScoreMapSettings } from "./score-map.ts";
import type { SearchSpace, StyleSpace } from "./space.ts";
import type { SurrogateSettings, Surrogates } from "./surrogates.ts";

/** The kinds of prior that attacks search in. */
export type SearchedPrior = (typeof priors)[number]["kind"];

/** What an attack is given. */
export interface AttackRun<Config, A extends Access = Access, P extends SearchedPrior | null = SearchedPrior | null> {
  /** The target, as far as the attack's access reaches. */
  readonly target: Handles[A];
  readonly prior: P extends SearchedPrior ? Prior : undefined;
  /** The prior's latents or styles, or images where the attack has no prior. */
  readonly space: SearchSpace;
  /** The attacked classes. */
  readonly identities: readonly number[];
  /** Reconstructions asked for of each. */
  readonly perIdentity: number;
  /** What was learnt of the target beforehand, where the settings ask for it. */
  readonly surrogates?: Surrogates;
  /** What was learnt of the target's scores beforehand, where the attack asks for it. */
  readonly scoreMap?: ScoreMap;
  /** The public weights that the target started from, of another head, where the attack holds them. */
  readonly publicWeights?: StateDict;
  readonly config: Config;
  readonly seed: number;
  readonly work: Work;
}

/**
 * What an attack recovered: rows of its search space (latents, styles, or images where it has no prior), or images where it leaves that
 * space (`outcome`); row i is meant for class `labels[i]`. Identity by identity, `perIdentity` rows each.
 */
export interface Reconstructions {
  readonly rows: Float32Array;
  readonly labels: Int32Array;
  /** A sentence on what the attack found out about this target, for the reader of the result. */
  readonly remark?: string;
}

/** A model-inversion attack: one file in this folder, one line in `index.ts`. */
export interface Attack<
  Kind extends string = string,
  Schema extends z.ZodObject = z.ZodObject,
  A extends Access = Access,
  P extends SearchedPrior | null = SearchedPrior | null,
> {
  readonly kind: Kind;
  readonly summary: string;
  readonly paper: string;
  readonly access: A;
  /** The kind of prior that it searches in; null where it searches among images themselves. */
  readonly prior: P;
  /** The kind of prior where these settings decide it; `prior` where it is left out. */
  priorOf?(config: z.output<Schema>): SearchedPrior;
  readonly config: Schema;
  /** Said where what it recovers are images that its search space has no rows for. */
  readonly outcome?: "images";
  /** Whether the attacker holds the public weights that targets start from. */
  readonly publicWeights?: true;
  /** `preset: quick`: the keys with which it takes two or three minutes of two cores for 50 people in 64×64 images, two of each. */
  readonly quick: Partial<z.input<Schema>>;
  /** The styles that it searches among, with these settings; the prior's latents where it is left out. */
  space?(config: z.output<Schema>): StyleSpace | undefined;
  /** What these settings want to be learnt of the target from public images beforehand; nothing where it is left out. */
  surrogates?(config: z.output<Schema>): SurrogateSettings | undefined;
  /** How a map is learnt beforehand from the target's scores of public images to a public network's features; none where it is left out. */
  scoreMap?(config: z.output<Schema>): ScoreMapSettings;
  /** What these settings want to be learnt beforehand of the labels that the target gives to images of the attack's prior. */
  labelSurrogates?(config: z.output<Schema>): LabelSurrogateSettings | undefined;
  /** What numbers of its settings must be at least where so many reconstructions of each identity are asked for; anything does where it is left out. */
  least?(config: z.output<Schema>, perIdentity: number): Leasts;
  run(run: AttackRun<z.output<Schema>, A, P>): Promise<Reconstructions>;
}

/** Whether an attack reads the public weights that targets start from: as they are, or what a network with them makes of images. */
export function readsPublicWeights({ publicWeights, scoreMap }: Attack): boolean {
  return publicWeights === true || scoreMap !== undefined;
}

/** The kind of prior that an attack searches in with its resolved settings; null where it has none. */
export function priorKind(attack: Attack, config: Readonly<Record<string, unknown>>): SearchedPrior | null {
  return attack.priorOf?.(config) ?? attack.prior;
}

/** Declares an attack; only fixes the types. */
export function defineAttack<
  const Kind extends string,
  Schema extends z.ZodObject,
  const A extends Access,
  const P extends SearchedPrior | null,
>(attack: Attack<Kind, Schema, A, P>): Attack<Kind, Schema, A, P> {
  return attack;
}
