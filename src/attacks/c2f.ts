import { z } from "zod";
import { grad } from "../engine/autodiff.ts";
import { UserError } from "../engine/errors.ts";
import { input, parameter } from "../engine/graph.ts";
import { square, sub } from "../engine/ops/elementwise.ts";
import { mean, sum } from "../engine/ops/reduce.ts";
import { adam, optimizerState, optimizerUpdates } from "../engine/optimizer.ts";
import { random } from "../engine/random.ts";
import { compile } from "../engine/runtime.ts";
import { constantRate } from "../engine/schedule.ts";
import { createStore } from "../engine/store.ts";
import { filled, tensor } from "../engine/tensor.ts";
import { checkFinite, runLoop } from "../engine/work.ts";
import { forAllLayers } from "../priors/style-networks.ts";
import { fixedPrior, stylesOf } from "../priors/synthesize.ts";
import { type AttackRun, defineAttack } from "./attack.ts";
import { children, extended } from "./differential-evolution.ts";
import { keptRows } from "./kept-rows.ts";
import { idealRows, ScoreMapSettings } from "./score-map.ts";
import { highest, labelsOf, selectInitial, takeRows } from "./selection.ts";

const config = z.strictObject({
  map: ScoreMapSettings.prefault({}).describe("the network from the target's scores to a public network's features"),
  starts: z
    .int()
    .positive()
    .default(16)
    .describe("styles of each identity in the coarse search; the released code takes 8 or 16"),
  coarse: z.int().positive().default(20).describe("gradient steps of the coarse search, which asks the target nothing"),
  rate: z.number().positive().default(0.02).describe("learning rate of Adam in the coarse search"),
  pool: z
    .int()
    .min(0)
    .default(0)
    .describe(
      "random styles that the target is asked for once, for all identities; `starts` of each identity join those of the coarse search; none in the released code",
    ),
  kept: z.int().min(3).default(10).describe("of these, the styles that the target finds likeliest, which evolve"),
  iterations: z.int().positive().default(500).describe("generations of the fine search"),
  population: z.int().min(3).default(32).describe("styles of a generation, each asked for once"),
  pull: z
    .number()
    .min(0)
    .max(1)
    .default(0.02)
    .describe("how far a child starts from its parent towards the best style"),
  difference: z.number().min(0).default(0.1).describe("β, weight of each difference of two styles in a child"),
  pairs: z.int().positive().default(4).describe("differences that are added to a child"),
  crossover: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe("probability that a number is the child's, not its parent's"),
  settling: z
    .int()
    .min(0)
    .default(30)
    .describe("last generations, in which β falls from three fifths of itself to nothing, generation by generation"),
  batch: z.int().positive().default(8).describe("identities that evolve side by side"),
});

type Run = AttackRun<z.output<typeof config>, "scores", "stylegan">;

/** How much of a style that joins the population is mixed of those that evolve (released code); the rest is random. */
const MIXED = 0.7;
/** Random styles whose mean that rest is, and whose mean the coarse search starts from (released code). */
const [RANDOM_IN_MIX, RANDOM_IN_START] = [3, 2];

/**
 * C2F: a network learns, from the target's scores of public images, what a public network sees in them. Coarse search: styles whose images
 * the public network sees as that network says of a class the target is sure of, by gradients that never touch the target. Fine search:
 * the best of them evolve by the target's probabilities alone (sections IV-B to IV-D). Reconstructions are the best of the last generation.
 */
export const c2f = defineAttack({
  kind: "c2f",
  summary: "styles of a StyleGAN2 from features that the target's scores point to, then differential evolution",
  paper: "Ye et al., C2FMI: Coarse-to-Fine Black-Box Model Inversion Attack, TDSC 2023",
  access: "scores",
  prior: "stylegan",
  config,
  quick: {
    map: { hidden: 512, epochs: 10 },
    coarse: 10,
    pool: 1000,
    pull: 0.1,
    iterations: 60,
    settling: 10,
  },
  space: () => ({ styles: "w", truncation: 1 }),
  scoreMap: ({ map }) => map,
  least: ({ starts, kept }, perIdentity) => ({ population: Math.max(kept, perIdentity), starts: kept, pool: starts }),
  async run(run) {
    const { config: c, perIdentity } = run;
    if (c.kept > c.starts || c.kept > c.population) {
      throw new UserError(
        `c2f: kept is ${c.kept}, but it can be no more than starts (${c.starts}) and population (${c.population})`,
      );
    }
    if (perIdentity > c.population) {
      throw new UserError(
        `c2f: a population of ${c.population} is too small for ${perIdentity} reconstructions of each identity`,
      );
    }
    const starts = await coarse(run);
    return {
      rows: await fine(run, c.pool > 0 ? await joined(run, starts) : starts),
      labels: labelsOf(run.identities, perIdentity),
    };
  },
});

/** Means of `of` random styles each, [count, width]. */
async function meanStyles({ space, seed }: Run, count: number, of: number, ...path: readonly (string | number)[]) {
  const drawn = await space.draw(count * of, seed, "c2f", ...path);
  const { width } = space;
  return Float32Array.from({ length: count * width }, (_, at) => {
    const [row, j] = [Math.floor(at / width), at % width];
    let total = 0;
    for (let k = 0; k < of; k++) total += drawn[(row * of + k) * width + j]!;
    return total / of;
  });
}

/** The coarse search: `starts` styles of each identity, [identities · starts, width]. */
async function coarse(run: Run): Promise<Float32Array> {
  const { target, prior, space, scoreMap, identities, config: c, seed, work } = run;
  const { width } = space;
  const { map, embed } = scoreMap!;
  const shape = [c.starts, width];
  const styles = parameter("styles", shape);
  const images = fixedPrior(prior).synthesizeStyles(forAllLayers(styles, stylesOf(prior.networks).count));
  const wanted = map(input("scores", [c.starts, target.classes]));
  // A sum over styles keeps each apart from how many others there are.
  const loss = sum(mean(square(sub(embed(images), wanted)), [1]));
  const plan = { name: "optimizer", optimizer: adam(), rate: constantRate(c.rate) };
  const start = async (identity: number) => ({
    styles: tensor(await meanStyles(run, c.starts, RANDOM_IN_START, "start", identity), shape),
    ...optimizerState(plan, [styles]),
  });
  const store = createStore(await start(identities[0]!));
  const updates = optimizerUpdates(plan, [styles], grad(loss, [styles]));
  const program = await compile({ outputs: { loss }, updates, store });
  const found = new Float32Array(identities.length * c.starts * width);
  await runLoop({
    work,
    name: "c2f-coarse",
    total: identities.length * c.coarse,
    unit: "coarse steps",
    store,
    extra: keptRows(found),
    async open() {
      return async (step) => {
        const [at, iteration] = [Math.floor(step / c.coarse), step % c.coarse];
        const identity = identities[at]!;
        if (iteration === 0) store.load(await start(identity));
        const rng = random(seed, "c2f", "coarse", identity, iteration);
        const result = await program.run({ scores: idealRows(identity, target.classes, c.starts, rng) });
        const value = result.loss!.data[0]! / c.starts;
        checkFinite("c2f", step, value);
        if (iteration + 1 === c.coarse) {
          found.set(store.get("styles").data, at * c.starts * width);
          await work.log({ attack: "c2f", search: "coarse", batch: at, iteration: iteration + 1, loss: value });
        }
        return { loss: value };
      };
    },
  });
  await program.release();
  return found;
}

/** The coarse search's styles of each identity, and after them as many that the target found likeliest in the pool. */
async function joined(run: Run, starts: Float32Array): Promise<Float32Array> {
  const { target, space, identities, config: c, seed } = run;
  const chosen = await selectInitial({ target, space, identities, perIdentity: c.starts, pool: c.pool, seed });
  const each = c.starts * space.width;
  const out = new Float32Array(2 * starts.length);
  for (let at = 0; at < starts.length; at += each) {
    out.set(starts.subarray(at, at + each), 2 * at);
    out.set(chosen.rows.subarray(at, at + each), 2 * at + each);
  }
  return out;
}

/** The fine search from such styles, equally many of each identity: the `perIdentity` best of each identity's last generation. */
async function fine(run: Run, first: Float32Array): Promise<Float32Array> {
  const { target, space, identities, perIdentity, config: c, seed, work } = run;
  const { width } = space;
  const size = c.population;
  const each = first.length / identities.length / width;
  const batch = Math.min(c.batch, identities.length);
  const store = createStore({ population: filled([batch, size, width], 0), fitness: filled([batch, size], 0) });
  const [population, fitness] = [store.get("population").data, store.get("fitness").data];
  const found = new Float32Array(identities.length * perIdentity * width);
  const rowsOf = (i: number) => population.subarray(i * size * width, (i + 1) * size * width);
  const fitnessOf = (i: number) => fitness.subarray(i * size, (i + 1) * size);
  const bestOf = (i: number, keep: number) => highest(size, (k) => fitnessOf(i)[k]!, keep);

  /** Each row's probability of its identity, for equally many rows of each. */
  const probabilities = async (parts: readonly Float32Array[], whose: readonly number[]): Promise<Float32Array[]> => {
    const count = parts[0]!.length / width;
    const rows = new Float32Array(parts.length * count * width);
    for (const [i, part] of parts.entries()) rows.set(part, i * count * width);
    const labels = Int32Array.from({ length: parts.length * count }, (_, k) => whose[Math.floor(k / count)]!);
    const scores = await target.scores(await space.render(rows, labels));
    return parts.map((_, i) =>
      Float32Array.from({ length: count }, (_, k) => scores[(i * count + k) * target.classes + whose[i]!]!),
    );
  };

  /** The first generation: the likeliest of the coarse search, and mixes of them. */
  const begin = async (from: number, whose: readonly number[]) => {
    const starts = whose.map((_, i) => first.subarray((from + i) * each * width, (from + i + 1) * each * width));
    const seen = await probabilities(starts, whose);
    const fresh: Float32Array[] = [];
    for (const [i, identity] of whose.entries()) {
      const best = highest(each, (k) => seen[i]![k]!, c.kept);
      const kept = { rows: takeRows(starts[i]!, width, best), width };
      const others = await meanStyles(run, size - c.kept, RANDOM_IN_MIX, "mix", identity);
      rowsOf(i).set(extended(kept, others, MIXED, random(seed, "c2f", "mix", identity)));
      fitnessOf(i).set(best.map((k) => seen[i]![k]!));
      fresh.push(rowsOf(i).subarray(c.kept * width));
    }
    if (size === c.kept) return;
    for (const [i, p] of (await probabilities(fresh, whose)).entries()) fitnessOf(i).set(p, c.kept);
  };

  const evolve = async (generation: number, whose: readonly number[]) => {
    const left = c.iterations - generation;
    const falling = left <= c.settling ? (0.6 * left) / c.settling : 1;
    const breeding = { ...c, difference: c.difference * falling };
    const bred = whose.map((identity, i) => {
      const rng = random(seed, "c2f", "generation", identity, generation);
      return children({ rows: rowsOf(i), width }, bestOf(i, 1)[0]!, breeding, rng);
    });
    for (const [i, p] of (await probabilities(bred, whose)).entries())
      for (const [k, probability] of p.entries()) {
        if (!(probability > fitnessOf(i)[k]!)) continue;
        fitnessOf(i)[k] = probability;
        rowsOf(i).set(bred[i]!.subarray(k * width, (k + 1) * width), k * width);
      }
  };

  await runLoop({
    work,
    name: "c2f",
    total: Math.ceil(identities.length / batch) * c.iterations,
    unit: "generations",
    store,
    extra: keptRows(found),
    async open() {
      return async (step) => {
        const from = Math.floor(step / c.iterations) * batch;
        const generation = step % c.iterations;
        const whose = identities.slice(from, from + batch);
        if (generation === 0) await begin(from, whose);
        await evolve(generation, whose);
        const best = whose.map((_, i) => bestOf(i, perIdentity));
        if (generation + 1 === c.iterations)
          for (const [i, rows] of best.entries())
            found.set(takeRows(rowsOf(i), width, rows), (from + i) * perIdentity * width);
        const confidence = best.reduce((total, [k], i) => total + fitnessOf(i)[k!]!, 0) / whose.length;
        if ((generation + 1) % 10 === 0 || generation + 1 === c.iterations)
          await work.log({ attack: "c2f", search: "fine", batch: from / batch, iteration: generation + 1, confidence });
        return { confidence };
      };
    },
  });
  return found;
}
