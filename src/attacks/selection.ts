import { UserError } from "../engine/errors.ts";
import { logSoftmax } from "../engine/ops/activation.ts";
import { random } from "../engine/random.ts";
import { predictor } from "../models/predict.ts";
import type { Prior } from "../priors/prior.ts";
import { fixedPrior } from "../priors/synthesize.ts";
import type { WhiteBox } from "./access.ts";

/** Rows of latents for identities, as attacks return them. */
export interface Selected {
  readonly latents: Float32Array;
  readonly labels: Int32Array;
}

/** Standard normal latents, `count` rows. */
export function randomLatents(
  prior: Prior,
  count: number,
  seed: number,
  ...path: readonly (string | number)[]
): Float32Array {
  return random(seed, "latents", ...path).normals(count * prior.networks.latent);
}

/**
 * For each identity the `perIdentity` latents, of a pool of `pool` random ones, that the target gives the highest probability of it.
 * The baseline of initial selection without optimisation, and the start that attacks may choose.
 * @throws UserError for a pool that holds fewer latents than are asked for of an identity.
 */
export async function selectInitial(options: {
  readonly target: WhiteBox;
  readonly prior: Prior;
  readonly identities: readonly number[];
  readonly perIdentity: number;
  readonly pool: number;
  readonly seed: number;
}): Promise<Selected> {
  const { target, prior, identities, perIdentity, pool, seed } = options;
  const { latent } = prior.networks;
  if (pool < perIdentity) {
    throw new UserError(`a pool of ${pool} latents is too small to choose ${perIdentity} of for each identity`);
  }
  const latents = randomLatents(prior, pool, seed, "pool");
  const net = await predictor([latent], 64, (z) => ({
    scores: logSoftmax(target.logits(fixedPrior(prior).synthesize(z))),
  }));
  const { scores } = await net.predict(latents, pool);
  await net.release();
  const chosen = identities.flatMap((identity) => {
    const score = (row: number) => scores[row * target.classes + identity]!;
    const rows = Array.from({ length: pool }, (_, i) => i).sort((a, b) => score(b) - score(a));
    return rows.slice(0, perIdentity);
  });
  const picked = new Float32Array(chosen.length * latent);
  for (const [i, row] of chosen.entries()) picked.set(latents.subarray(row * latent, (row + 1) * latent), i * latent);
  return { latents: picked, labels: labelsOf(identities, perIdentity) };
}

/** Each identity `perIdentity` times, in order. */
export function labelsOf(identities: readonly number[], perIdentity: number): Int32Array {
  return Int32Array.from(identities.flatMap((identity) => Array<number>(perIdentity).fill(identity)));
}
