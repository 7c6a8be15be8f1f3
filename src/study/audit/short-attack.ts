import type { Choice } from "../choose.ts";

/** What was seen of a step's first seconds. */
export interface Watched {
  /** Seconds of the whole step, by the pace of its latest loop. */
  readonly seconds: number;
  /** Seconds of a turn of the latest loop. */
  readonly pace: number;
  /** Seconds of a turn of the first loop. */
  readonly firstPace: number;
}

/** An attack of which the first steps come soon, and what that leaves out. */
export interface ShortAttack {
  readonly keys: Choice;
  /** Seconds of the attack as it was, from what was seen of this one. */
  whole(watched: Watched): number;
}

/** Latents that are scored before the first step, at most; and images of a generation. */
const FIRST = 256;
const GENERATION = 64;
/** What forward and backward pass of a batch take, in forward passes. */
const PASSES = 3;

/**
 * Cuts down what an attack does before its first step, and how many images a step has where it holds a whole generation.
 * @param rows reconstructions in all
 */
export function shortAttack(choice: Choice, rows: number, perIdentity: number): ShortAttack {
  const numberOf = (key: string) => {
    const value = choice[key];
    return typeof value === "number" ? value : undefined;
  };
  const [draws, samples, iterations] = [numberOf("draws"), numberOf("samples"), numberOf("iterations")];
  if (draws !== undefined && samples !== undefined && iterations !== undefined) {
    // It moves only from latents that show the person, which a prior that was hardly trained may not have: its images are counted
    // instead, at the pace of the first draws. That is the most that it can take.
    const images = draws + rows * iterations * (samples + 1);
    return { keys: choice, whole: ({ firstPace }) => (images / FIRST) * firstPace };
  }
  const [pool = 0, population] = [numberOf("pool"), numberOf("population")];
  const fewest = Math.max(FIRST, numberOf("candidates") ?? perIdentity);
  const generation = population === undefined ? undefined : Math.min(population, Math.max(GENERATION, perIdentity));
  const growth = population === undefined ? 1 : population / generation!;
  const leftOut = Math.max(0, pool - fewest);
  const imagesOfStep = generation ?? PASSES * (numberOf("batch") ?? 1);
  return {
    keys: {
      ...choice,
      ...(leftOut > 0 && { pool: fewest }),
      ...(generation !== undefined && { population: generation }),
    },
    whole: ({ seconds, pace }) => growth * seconds + (leftOut * pace) / imagesOfStep,
  };
}
