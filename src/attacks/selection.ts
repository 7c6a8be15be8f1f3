import { flipImage } from "../data/augment.ts";
import { UserError } from "../engine/errors.ts";
import type { LabelsAccess, ScoresAccess } from "./access.ts";
import type { Reconstructions } from "./attack.ts";
import type { SearchSpace } from "./space.ts";

/** Rows rendered and scored at a time: what is held in memory. */
const PART = 256;

/**
 * For each identity the `perIdentity` rows, of a pool of `pool` random ones, that the target gives the highest probability of it.
 * The baseline of initial selection without optimisation, and the start that attacks may choose. Where images depend on the class,
 * each identity's pool is rendered for it.
 * @throws UserError for a pool that holds fewer rows than are asked for of an identity.
 */
export async function selectInitial(options: {
  readonly target: ScoresAccess;
  readonly space: SearchSpace;
  readonly identities: readonly number[];
  readonly perIdentity: number;
  readonly pool: number;
  readonly seed: number;
  /** Whether the mirrored image is asked for too and the mean of both counts (PPA); no by default. */
  readonly mirrored?: boolean;
}): Promise<Reconstructions> {
  const { target, space, identities, perIdentity, pool, seed, mirrored = false } = options;
  checkPool(pool, perIdentity);
  const drawn = await space.draw(pool, seed, "pool");
  // What is not rendered for a class is rendered once.
  const shared = space.byClass ? undefined : await poolScores(target, space, drawn, 0, mirrored);
  const chosen: number[] = [];
  for (const identity of identities) {
    const scores = shared ?? (await poolScores(target, space, drawn, identity, mirrored));
    chosen.push(...highest(pool, (row) => scores[row * target.classes + identity]!, perIdentity));
  }
  return { rows: takeRows(drawn, space.width, chosen), labels: labelsOf(identities, perIdentity) };
}

/**
 * The same for those who see labels alone, and so cannot tell better from worse: the first `perIdentity` rows of the pool that the target
 * takes for the identity, and the pool's first others where these are too few.
 * @throws UserError as `selectInitial`.
 */
export async function selectByLabel(
  options: Omit<Parameters<typeof selectInitial>[0], "target" | "mirrored"> & { readonly target: LabelsAccess },
): Promise<Reconstructions> {
  const { target, space, identities, perIdentity, pool, seed } = options;
  checkPool(pool, perIdentity);
  const drawn = await space.draw(pool, seed, "pool");
  const shared = space.byClass ? undefined : await poolLabels(target, space, drawn, 0);
  const chosen: number[] = [];
  for (const identity of identities) {
    const named = shared ?? (await poolLabels(target, space, drawn, identity));
    chosen.push(...highest(pool, (row) => (named[row] === identity ? 1 : 0), perIdentity));
  }
  return { rows: takeRows(drawn, space.width, chosen), labels: labelsOf(identities, perIdentity) };
}

function checkPool(pool: number, perIdentity: number): void {
  if (pool < perIdentity)
    throw new UserError(`a pool of ${pool} latents is too small to choose ${perIdentity} of for each identity`);
}

/**
 * Where a search starts: each identity's best of a pool of random rows, or random rows where the pool is 0.
 * @throws UserError as `selectInitial`.
 */
export async function startRows(
  options: Omit<Parameters<typeof selectInitial>[0], "mirrored">,
  name: string,
): Promise<Float32Array> {
  const { space, identities, perIdentity, pool, seed } = options;
  if (pool === 0) return space.draw(identities.length * perIdentity, seed, name);
  return (await selectInitial(options)).rows;
}

/** The target's probabilities of the rows' images as rendered for one class, row by row. */
async function poolScores(
  target: ScoresAccess,
  space: SearchSpace,
  rows: Float32Array,
  identity: number,
  mirrored: boolean,
): Promise<Float32Array> {
  const scores = new Float32Array((rows.length / space.width) * target.classes);
  for await (const { at, count, images } of rendered(space, rows, identity)) {
    const seen = await target.scores(images);
    if (mirrored) {
      const [channels, height, width] = target.image;
      flipImage(images, { channels: channels * count, height, width });
      for (const [i, score] of (await target.scores(images)).entries()) seen[i] = (seen[i]! + score) / 2;
    }
    scores.set(seen, at * target.classes);
  }
  return scores;
}

/** The target's labels of the rows' images as rendered for one class. */
async function poolLabels(
  target: LabelsAccess,
  space: SearchSpace,
  rows: Float32Array,
  identity: number,
): Promise<Int32Array> {
  const labels = new Int32Array(rows.length / space.width);
  for await (const { at, images } of rendered(space, rows, identity)) labels.set(await target.labels(images), at);
  return labels;
}

/** The rows' images as rendered for one class, part by part. */
async function* rendered(space: SearchSpace, rows: Float32Array, identity: number) {
  const total = rows.length / space.width;
  for (let at = 0; at < total; at += PART) {
    const count = Math.min(PART, total - at);
    const part = rows.subarray(at * space.width, (at + count) * space.width);
    yield { at, count, images: await space.render(part, new Int32Array(count).fill(identity)) };
  }
}

/** Those `keep` of the numbers 0 … `count` − 1 that score highest, the best first. */
export function highest(count: number, score: (index: number) => number, keep: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
    .sort((a, b) => score(b) - score(a))
    .slice(0, keep);
}

/** The rows of the given numbers, in that order. */
export function takeRows(rows: Float32Array, width: number, chosen: readonly number[]): Float32Array {
  const out = new Float32Array(chosen.length * width);
  for (const [i, row] of chosen.entries()) out.set(rows.subarray(row * width, (row + 1) * width), i * width);
  return out;
}

/** Each identity `perIdentity` times, in order. */
export function labelsOf(identities: readonly number[], perIdentity: number): Int32Array {
  return Int32Array.from(identities.flatMap((identity) => Array<number>(perIdentity).fill(identity)));
}
