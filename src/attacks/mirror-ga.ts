import { z } from "zod";
import { type Rng, random } from "../engine/random.ts";
import { createStore } from "../engine/store.ts";
import { filled } from "../engine/tensor.ts";
import { runLoop } from "../engine/work.ts";
import { defineAttack } from "./attack.ts";
import { keptRows } from "./kept-rows.ts";
import { fromPSpace, pSpaceSettings, type StyleBounds, styleBounds, toPSpace } from "./p-space.ts";
import { highest, labelsOf, selectInitial, takeRows } from "./selection.ts";

const config = z.strictObject({
  iterations: z.int().positive().default(100).describe("generations of each identity"),
  population: z.int().min(2).default(1000).describe("styles of a generation; the paper's code takes 100 to 1000"),
  confidence: z
    .number()
    .gt(0)
    .max(1)
    .default(0.95)
    .describe(
      "probability of its class at which an identity's best style is good enough and its evolution ends, however good the others are that are reconstructions too",
    ),
  mutated: z.number().min(0).max(1).default(0.1).describe("probability that a number of a child is changed"),
  mutation: z
    .number()
    .min(0)
    .default(0.1)
    .describe("how much, at most, in standard deviations of random styles in P-space"),
  ...pSpaceSettings,
  pool: z.int().positive().default(100_000).describe("random styles among which the first generation is chosen"),
  truncation: z.number().min(0).max(1).default(0.7).describe("ψ of the random styles"),
});

/**
 * MIRROR, black-box: a genetic algorithm on styles, from the random ones to which the target gives the highest probability of the identity.
 * The best style lives on; of the others each is the child of two, drawn by their probabilities, and takes more of the likelier parent
 * (section IV-C). The released code compares logarithms there, which are negative, so that the worse parent gave more. Reconstructions of
 * an identity are the best of its last generation.
 */
export const mirrorGa = defineAttack({
  kind: "mirror-ga",
  summary: "a genetic algorithm on styles of a StyleGAN2, from the target's probabilities alone",
  paper: "An et al., MIRROR: Model Inversion for Deep Learning Network with High Fidelity, NDSS 2022",
  access: "scores",
  prior: "stylegan",
  config,
  quick: { iterations: 60, population: 40, confidence: 0.999, pool: 1000, samples: 2000, mutation: 0.5 },
  space: ({ truncation }) => ({ styles: "w", truncation }),
  least: ({ population }, perIdentity) => ({ pool: Math.max(population, perIdentity) }),
  async run({ target, space, identities, perIdentity, config: c, seed, work }) {
    const { width } = space;
    const size = Math.max(c.population, perIdentity);
    const first = await selectInitial({ target, space, identities, perIdentity: size, pool: c.pool, seed });
    const bounds = styleBounds(await space.draw(c.samples, seed, "spread"), width, c.deviations);
    const store = createStore({ population: filled([size, width], 0), fitness: filled([size], 0) });
    const [population, fitness] = [store.get("population").data, store.get("fitness").data];
    const found = new Float32Array(identities.length * perIdentity * width);

    /** Probabilities of the identity, row by row. */
    const probabilities = async (rows: Float32Array, identity: number): Promise<Float32Array> => {
      const count = rows.length / width;
      const scores = await target.scores(await space.render(rows, new Int32Array(count).fill(identity)));
      return Float32Array.from({ length: count }, (_, i) => scores[i * target.classes + identity]!);
    };

    await runLoop({
      work,
      name: "mirror-ga",
      total: identities.length * c.iterations,
      unit: "generations",
      store,
      extra: keptRows(found),
      async open() {
        return async (step) => {
          const [at, generation] = [Math.floor(step / c.iterations), step % c.iterations];
          const identity = identities[at]!;
          if (generation === 0) {
            population.set(first.rows.subarray(at * size * width, (at + 1) * size * width));
            fitness.set(await probabilities(population, identity));
          } else if (Math.max(...fitness) < c.confidence) {
            const [best] = highest(size, (i) => fitness[i]!, 1);
            const rng = random(seed, "mirror-ga", identity, generation);
            const children = nextGeneration({
              population,
              fitness,
              width,
              bounds,
              mutated: c.mutated,
              mutation: c.mutation,
              rng,
            });
            const theirs = await probabilities(children, identity);
            population.copyWithin(0, best! * width, (best! + 1) * width);
            fitness[0] = fitness[best!]!;
            population.set(children, width);
            fitness.set(theirs, 1);
          }
          const kept = highest(size, (i) => fitness[i]!, perIdentity);
          if (generation + 1 === c.iterations) found.set(takeRows(population, width, kept), at * perIdentity * width);
          const best = fitness[kept[0]!]!;
          if ((generation + 1) % 10 === 0 || generation + 1 === c.iterations)
            await work.log({ attack: "mirror-ga", batch: at, iteration: generation + 1, confidence: best });
          return { identity: -Math.log(best), confidence: best };
        };
      },
    });
    return { rows: found, labels: labelsOf(identities, perIdentity) };
  },
});

/** A generation of styles [n, width] and how likely the target finds each. */
interface Generation {
  readonly population: Float32Array;
  readonly fitness: Float32Array;
  readonly width: number;
  readonly bounds: StyleBounds;
  readonly mutated: number;
  readonly mutation: number;
  readonly rng: Rng;
}

/** The n − 1 children of a generation, [n − 1, width], held within the bounds. */
export function nextGeneration(generation: Generation): Float32Array {
  const { population, fitness, width, bounds, mutated, mutation, rng } = generation;
  const parent = drawer(fitness);
  const count = fitness.length - 1;
  const children = new Float32Array(count * width);
  // All children of a generation change by the same amounts.
  const change = bounds.deviation.map((deviation) => mutation * (2 * rng.uniform() - 1) * deviation);
  for (let i = 0; i < count; i++) {
    const [a, b] = [parent(rng), parent(rng)];
    const share = fitness[a]! + fitness[b]!;
    for (let j = 0; j < width; j++) {
      const chosen = rng.uniform() * share < fitness[a]! ? a : b;
      const gene = toPSpace(population[chosen * width + j]!);
      const moved = rng.uniform() < mutated ? gene + change[j]! : gene;
      children[i * width + j] = fromPSpace(Math.min(bounds.high.data[j]!, Math.max(bounds.low.data[j]!, moved)));
    }
  }
  return children;
}

/** Draws indices with probabilities in proportion to the weights; evenly where all are zero. */
function drawer(weights: Float32Array): (rng: Rng) => number {
  const sums = new Float64Array(weights.length);
  weights.reduce((sum, weight, i) => {
    sums[i] = sum + weight;
    return sums[i]!;
  }, 0);
  const total = sums.at(-1)!;
  return (rng) => {
    if (total === 0) return rng.int(weights.length);
    const at = rng.uniform() * total;
    const index = sums.findIndex((sum) => sum > at);
    return index < 0 ? weights.length - 1 : index;
  };
}
