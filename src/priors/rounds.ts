import { Augmentation } from "../data/augment.ts";
import type { ImageSet } from "../data/dataset.ts";
import { endless } from "../data/loader.ts";
import { type Rng, random, seedFor } from "../engine/random.ts";
import type { Store } from "../engine/store.ts";
import { checkFinite, runLoop, type Work } from "../engine/work.ts";

/** How the rounds of a GAN's training are played. */
export interface Rounds {
  /** Names the training in its random streams, its progress and its log. */
  readonly name: string;
  readonly total: number;
  /** What is counted, in the plural. */
  readonly unit?: string;
  /** So many rounds lie between two rows of the log; the last round has one. */
  readonly every: number;
  readonly store: Store;
  readonly seed: number;
  readonly work: Work;
  /** Opens what rounds draw from, at the first that is to be played, and gives what a round does: its losses by their names. */
  open(first: number): (rng: Rng, round: number) => Promise<Readonly<Record<string, number>>>;
}

/** Plays a GAN's rounds, each with random numbers of its own. Resumes. @throws DivergedError when a loss is no longer finite. */
export async function playRounds({ name, total, unit = "generator steps", every, ...rest }: Rounds): Promise<void> {
  const { store, seed, work, open } = rest;
  await runLoop({
    work,
    name,
    total,
    unit,
    store,
    async open(first) {
      const play = open(first);
      return async (step) => {
        const row = await play(random(seed, name, step), step);
        for (const [loss, value] of Object.entries(row)) checkFinite(`${name} ${loss}`, step, value);
        if ((step + 1) % every === 0 || step + 1 === total) await work.log({ training: name, step: step + 1, ...row });
        return row;
      };
    },
  });
}

/** How many steps a discriminator takes in a round. */
interface CriticSteps {
  readonly critic: number;
  /** How many more in the first. */
  readonly settle?: number | undefined;
}

/** Discriminator steps of a round. */
export function criticStepsOf({ critic, settle = 0 }: CriticSteps, round: number): number {
  return critic + (round === 0 ? settle : 0);
}

/** Discriminator steps of all rounds before that one. */
export function criticStepsBefore({ critic, settle = 0 }: CriticSteps, round: number): number {
  return critic * round + (round === 0 ? 0 : settle);
}

/** Whose batches of real images: the training by its name and seed, and how it wants them. */
interface RealBatches {
  readonly name: string;
  readonly batch: number;
  readonly seed: number;
  /** Probability of a mirrored image. */
  readonly flip: number;
}

/** Batches of real images without end. @param first the batch to begin with */
export function realBatches(images: ImageSet, { name, batch, seed, flip }: RealBatches, first: number) {
  const augment = Augmentation.parse({ flip });
  return endless(images, { batch, seed: seedFor(seed, name, "real"), step: first, augment });
}
