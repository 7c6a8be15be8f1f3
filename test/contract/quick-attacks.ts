import type { attacks } from "../../src/attacks/index.ts";
import type { Queries } from "../../src/attacks/queries.ts";
import { IDENTITIES } from "../support/tiny-world.ts";

export type Settings = Readonly<Record<string, unknown>>;

export interface QuickSettings {
  /** Enough to find the identities of the tiny world. */
  readonly config: Settings;
  /** Settings of a run that is only started. */
  readonly short: Settings;
  /** What makes it known beforehand how much such a run asks; nothing where that is so anyway. */
  readonly counted?: Readonly<Record<string, number>>;
  /** What it then asks of the target. */
  readonly queries: Queries;
  /** Who must recognise the identities; the evaluation model by default. */
  readonly recognisedBy?: "target";
  /** Steps of a batch of rows; `iterations` by default. */
  readonly steps?: number;
  /** The share of its first loss that the last one stays below; half by default. Nothing where its search is another attack's. */
  readonly lowers?: number | "as its base";
  /** The smallest pool that it takes; none by default. */
  readonly leastPool?: number;
  /** How often each row of a pool is looked at; once by default. */
  readonly poolViews?: number;
  /** Settings at which the search leaves the numbers; absent where none does. */
  readonly diverging?: Settings;
}

/** Reconstructions of each identity. */
export const PER_IDENTITY = 4;
export const ROWS = IDENTITIES * PER_IDENTITY;
/** Public images of the tiny world. */
const CROWD = 512;

/** One entry for each attack; a missing one does not compile. */
export const quick: Readonly<Record<(typeof attacks)[number]["kind"], QuickSettings>> = {
  "mi-face": {
    config: { iterations: 200, rate: 20, totalVariation: 0.5, batch: 12 },
    short: { iterations: 25 },
    queries: { images: 25 * ROWS, gradients: 25 * ROWS },
    // Pixels without a prior fool a deep target and show nobody: src/attacks/mi-face.test.ts has a shallow one.
    recognisedBy: "target",
    diverging: { totalVariation: 3e38 },
  },
  gmi: {
    config: { iterations: 80, rate: 0.5, batch: 12 },
    short: { iterations: 25 },
    queries: { images: 25 * ROWS, gradients: 25 * ROWS },
    diverging: { identityWeight: 3e38 },
  },
  kedmi: {
    config: { iterations: 200, rate: 0.1, batch: 5 },
    short: { iterations: 25 },
    queries: { images: 25 * IDENTITIES, gradients: 25 * IDENTITIES },
    diverging: { rate: 3e38 },
  },
  "brep-mi": {
    config: { iterations: 200, patience: 60, samples: 16, radius: 0.3, stepLimit: 1, clamp: 1, draws: 2000, batch: 12 },
    short: { iterations: 15, draws: 256 },
    // A sphere far beyond the clamp is never all of one class, so that every iteration asks for a candidate too.
    counted: { radius: 9 },
    queries: { images: 256 + 15 * ROWS * (16 + 1), gradients: 0 },
  },
  ppa: {
    config: { iterations: 100, rate: 0.05, batch: 12, candidates: PER_IDENTITY, pool: 400, truncation: 0.7, views: 20 },
    short: { iterations: 15, pool: 4 },
    // Each style of the pool is seen twice, as it is and mirrored.
    queries: { images: 2 * 4 + 15 * ROWS, gradients: 15 * ROWS },
    poolViews: 2,
    leastPool: PER_IDENTITY,
    // From one end of the ball to the other it is a few units, among eight classes with a point of the rim each.
    lowers: 0.99,
    diverging: { rate: 3e38 },
  },
  mirror: {
    config: {
      iterations: 100,
      rate: 0.2,
      batch: 12,
      candidates: PER_IDENTITY,
      pool: 200,
      samples: 500,
      deviations: 1.5,
      flip: 0,
      truncation: 0.7,
    },
    short: { iterations: 15, pool: 4 },
    queries: { images: 4 + 15 * ROWS, gradients: 15 * ROWS },
    leastPool: PER_IDENTITY,
    // Styles within the bounds go nowhere.
    diverging: { rate: 3e38, deviations: 3e38 },
  },
  "mirror-ga": {
    config: {
      iterations: 20,
      population: 40,
      pool: 400,
      samples: 500,
      deviations: 1.5,
      truncation: 0.7,
      mutation: 0.5,
      confidence: 0.99,
    },
    short: { iterations: 5, population: 8, pool: 8 },
    counted: { confidence: 1 },
    // The pool, and of each identity the first generation and four with a survivor.
    queries: { images: 8 + IDENTITIES * (8 + 4 * 7), gradients: 0 },
    leastPool: 40,
  },
  c2f: {
    config: {
      map: { hidden: 32, epochs: 10, batch: 32, rate: 0.01 },
      iterations: 60,
      population: 24,
      pull: 0.1,
      difference: 0.25,
      batch: 5,
    },
    short: { iterations: 4, coarse: 3, starts: 8, kept: 3, population: 6 },
    // The map's public images; of each identity the coarse search's styles, those that join them, and four generations.
    queries: { images: CROWD + IDENTITIES * (8 + 3 + 4 * 6), gradients: 0 },
    diverging: { rate: 3e38 },
  },
  "rlb-mi": {
    config: { iterations: 400, hidden: 32, rate: 5e-3, replay: 32, batch: 5, temperature: 0.1 },
    short: { iterations: 15, replay: 6 },
    queries: { images: 15 * IDENTITIES, gradients: 0 },
    diverging: { rate: 3e38, replay: 3 },
  },
  vmi: {
    config: {
      iterations: 80,
      samples: 8,
      optimizer: "adam",
      rate: 0.05,
      // Nothing but the prior keeps latents where the world's images are, and there are few numbers in one.
      klWeight: 0.05,
      initialLogVariance: -1,
      batch: 5,
      flow: { layers: 3, hidden: 8 },
    },
    short: { iterations: 15 },
    queries: { images: 8 * 15 * IDENTITIES, gradients: 8 * 15 * IDENTITIES },
    diverging: { rate: 3e38 },
  },
  "if-gmi": {
    config: {
      iterations: 60,
      featureIterations: 20,
      radii: [20, 100, 200],
      rate: 0.05,
      batch: 12,
      candidates: PER_IDENTITY,
      pool: 400,
      truncation: 0.7,
    },
    // The generator has three blocks: one stage on styles, two on features.
    short: { iterations: 7, featureIterations: 4, pool: 4 },
    queries: { images: 2 * 4 + 15 * ROWS, gradients: 15 * ROWS },
    poolViews: 2,
    leastPool: PER_IDENTITY,
    steps: 100,
    lowers: 0.99,
    // Styles within a ball go nowhere.
    diverging: { rate: 3e38, radii: [1e39] },
  },
  "ppdg-mi": {
    config: {
      base: {
        kind: "ppa",
        iterations: 100,
        rate: 0.05,
        batch: 12,
        candidates: PER_IDENTITY,
        pool: 400,
        truncation: 0.7,
        views: 8,
      },
      pseudoPrivate: 3,
      inversionIterations: 40,
      inversionRate: 0.05,
      tuningIterations: 20,
    },
    short: {
      base: { kind: "ppa", iterations: 5, pool: 4, candidates: 4, batch: 12, views: 2 },
      inversionIterations: 3,
      tuningIterations: 2,
    },
    // The pool of the first round and that of each identity, twice; candidates of two rounds, by gradients and by views.
    queries: { images: 2 * 4 * (1 + IDENTITIES) + 2 * 5 * ROWS + 2 * ROWS, gradients: 2 * 5 * ROWS },
    lowers: "as its base",
  },
  "knows-prefix": {
    // No stage of the contract's target is public, so that pixels are shaken: src/attacks/knows-prefix.test.ts has TL-DMI's.
    config: { iterations: 80, rate: 0.5, samples: 3, publicSamples: 64, batch: 12 },
    short: { iterations: 15 },
    queries: { images: 3 * 15 * ROWS, gradients: 3 * 15 * ROWS },
    poolViews: 3,
    diverging: { identityWeight: 3e38 },
  },
  "plg-mi": {
    // Steps of the paper's 0.1 end in the nearest of the optima of so few dimensions; the world's images are not symmetric.
    config: { iterations: 200, rate: 0.4, batch: 12, clamp: 1, flip: 0 },
    short: { iterations: 15 },
    // Two views of each image.
    queries: { images: 2 * 15 * ROWS, gradients: 2 * 15 * ROWS },
    // A clamp that float32 cannot hold, since latents within another one stay numbers.
    diverging: { rate: 3e38, clamp: 1e39 },
  },
  lokt: {
    config: {
      iterations: 200,
      rate: 0.4,
      batch: 12,
      clamp: 1,
      flip: 0,
      ensemble: {
        models: [
          { kind: "resnet10", width: 8 },
          { kind: "resnet18", width: 8 },
        ],
        perClass: 200,
        training: { epochs: 6, batch: 32, rate: 0.05 },
      },
    },
    short: { iterations: 15 },
    // What it knows of the target it learnt beforehand: src/attacks/label-surrogates.test.ts.
    queries: { images: 0, gradients: 0 },
    poolViews: 0,
    diverging: { rate: 3e38, clamp: 1e39 },
  },
};
