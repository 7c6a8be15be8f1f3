import type { StateDict } from "../engine/store.ts";
import type { Work } from "../engine/work.ts";
import type { Answers } from "../models/answers.ts";
import type { Model } from "../models/model.ts";
import type { Prior } from "../priors/prior.ts";
import { openTarget } from "./access.ts";
import type { Attack, Reconstructions } from "./attack.ts";
import { openLabelSurrogates } from "./label-surrogates.ts";
import { meteredWork, type Queries, queryMeter } from "./queries.ts";
import { type Embedding, openScoreMap, type ScoreMap } from "./score-map.ts";
import { pixelSpace, type SearchSpace, searchSpace } from "./space.ts";
import { openSurrogates, type Surrogates } from "./surrogates.ts";
import { type Trail, withTrail } from "./trail.ts";

/** An attack on a target, and whom it attacks. */
export interface AttackOptions {
  readonly attack: Attack;
  readonly model: Model;
  /** The target's weights. */
  readonly state: StateDict;
  /** A trained prior of the kind that the attack searches in; left out where it has none. */
  readonly prior?: Prior;
  /** What `trainSurrogates`, `trainLabelSurrogates` or `trainScoreMap` learnt of the target; left out where the settings ask for nothing. */
  readonly surrogates?: StateDict;
  /** The public network of a score map; left out where the attack has none. */
  readonly embedding?: Embedding;
  /** The weights that the target started from, for an attack that holds them. */
  readonly publicWeights?: StateDict;
  /** The attacked classes. */
  readonly identities: readonly number[];
  /** Reconstructions asked for of each. */
  readonly perIdentity: number;
  /** The attack's resolved settings. */
  readonly config: Record<string, unknown>;
  readonly seed: number;
  readonly work: Work;
  /** What the target's owner makes of its probabilities, for attacks that only ask. */
  readonly answers?: Answers;
  /** Sees what a white-box attack shows the target on its way. */
  readonly trail?: Trail;
}

/** The space that an attack searches with its resolved settings: the prior's latents or styles, or images of the target's size. */
export function spaceOf(
  attack: Attack,
  model: Model,
  prior: Prior | undefined,
  config: Record<string, unknown>,
): SearchSpace {
  if (attack.prior === null) return searchSpace(undefined, model.input);
  if (prior === undefined) throw new RangeError(`${attack.kind} searches in a prior of kind ${attack.prior}`);
  return searchSpace(prior, model.input, attack.space?.(config));
}

/** The space that the rows of an attack's reconstructions belong to: the one it searches, or that of images. */
export function outcomeSpaceOf(...[attack, model, prior, config]: Parameters<typeof spaceOf>): SearchSpace {
  return attack.outcome === "images" ? pixelSpace(model.input) : spaceOf(attack, model, prior, config);
}

function surrogatesOf({ attack, model, config, surrogates }: AttackOptions): Surrogates | undefined {
  const settings = attack.surrogates?.(config);
  const labelSettings = attack.labelSurrogates?.(config);
  if (settings === undefined && labelSettings === undefined) return undefined;
  if (surrogates === undefined)
    throw new RangeError(`${attack.kind} with these settings needs surrogates of its target`);
  if (labelSettings !== undefined) return { students: openLabelSurrogates(labelSettings, model, surrogates) };
  return openSurrogates(settings!, model, surrogates);
}

function scoreMapOf({ attack, model, config, surrogates, embedding }: AttackOptions): ScoreMap | undefined {
  const settings = attack.scoreMap?.(config);
  if (settings === undefined) return undefined;
  if (surrogates === undefined || embedding === undefined)
    throw new RangeError(`${attack.kind} needs a score map of its target and the public network that it leads to`);
  return openScoreMap(settings, model.classes, embedding, surrogates);
}

function publicWeightsOf({ attack, publicWeights }: AttackOptions): StateDict | undefined {
  if (!attack.publicWeights) return undefined;
  if (publicWeights === undefined)
    throw new RangeError(`${attack.kind} needs the public weights that its target started from`);
  return publicWeights;
}

/** Runs an attack with a handle that does no more than the access it declares, and counts its queries. */
export async function runAttack(options: AttackOptions): Promise<Reconstructions & { readonly queries: Queries }> {
  const { attack, model, state, prior, identities, perIdentity, config, seed, trail } = options;
  const meter = queryMeter();
  const opened = openTarget(attack.access, model, state, meter, options.answers);
  const space = spaceOf(attack, model, prior, config);
  try {
    const work = meteredWork(options.work, meter);
    const target = trail === undefined ? opened.target : withTrail(opened.target, trail);
    const learnt = surrogatesOf(options);
    const scoreMap = scoreMapOf(options);
    // An attack that may only ask has asked for these too, whoever else shares the map.
    if (scoreMap !== undefined) meter.add(scoreMap.asked);
    const publicWeights = publicWeightsOf(options);
    const given = {
      ...(learnt && { surrogates: learnt }),
      ...(scoreMap && { scoreMap }),
      ...(publicWeights && { publicWeights }),
    };
    const found = await attack.run({ target, prior, space, ...given, identities, perIdentity, config, seed, work });
    return { ...found, queries: meter.count() };
  } finally {
    await opened.release();
    await space.release();
  }
}
