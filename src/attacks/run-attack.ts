import type { StateDict } from "../engine/store.ts";
import type { Work } from "../engine/work.ts";
import type { Answers } from "../models/answers.ts";
import type { Model } from "../models/model.ts";
import type { Prior } from "../priors/prior.ts";
import { openTarget } from "./access.ts";
import type { Attack, Reconstructions } from "./attack.ts";
import { openLabelSurrogates } from "./label-surrogates.ts";
import { meteredWork, type Queries, queryMeter } from "./queries.ts";
import { type SearchSpace, searchSpace } from "./space.ts";
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
  /** What `trainSurrogates` or `trainLabelSurrogates` learnt of the target; left out where the settings ask for nothing. */
  readonly surrogates?: StateDict;
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

function surrogatesOf({ attack, model, config, surrogates }: AttackOptions): Surrogates | undefined {
  const settings = attack.surrogates?.(config);
  const labelSettings = attack.labelSurrogates?.(config);
  if (settings === undefined && labelSettings === undefined) return undefined;
  if (surrogates === undefined)
    throw new RangeError(`${attack.kind} with these settings needs surrogates of its target`);
  if (labelSettings !== undefined) return { students: openLabelSurrogates(labelSettings, model, surrogates) };
  return openSurrogates(settings!, model, surrogates);
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
    const common = { target, prior, space, ...(learnt && { surrogates: learnt }), identities, perIdentity };
    const found = await attack.run({ ...common, config, seed, work });
    return { ...found, queries: meter.count() };
  } finally {
    await opened.release();
    await space.release();
  }
}
