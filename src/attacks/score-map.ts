import { z } from "zod";
import type { ImageSet } from "../data/dataset.ts";
import { grad } from "../engine/autodiff.ts";
import { constant, input, type Value } from "../engine/graph.ts";
import { mul, sub } from "../engine/ops/elementwise.ts";
import { meanSquaredError } from "../engine/ops/loss.ts";
import { adam, optimizerState, optimizerUpdates } from "../engine/optimizer.ts";
import { type Rng, random, seedFor } from "../engine/random.ts";
import { compile } from "../engine/runtime.ts";
import { steppedRate } from "../engine/schedule.ts";
import { createStore, type StateDict } from "../engine/store.ts";
import { type FloatTensor, tensor } from "../engine/tensor.ts";
import { checkFinite, runLoop, type Work } from "../engine/work.ts";
import type { Answers } from "../models/answers.ts";
import { fixed, initialState, trainable } from "../models/bind.ts";
import type { Layer } from "../models/layer.ts";
import { leakyRelu, linear, sequential } from "../models/layers.ts";
import { featureLayer, type Model } from "../models/model.ts";
import { predictor, predictSet } from "../models/predict.ts";
import { openTarget } from "./access.ts";
import { queryMeter } from "./queries.ts";

/** Settings of the network from a target's scores to the features of a public one (C2F's inverse model). */
export const ScoreMapSettings = z.strictObject({
  hidden: z.int().positive().default(4096).describe("units of each of its two hidden layers"),
  dropout: z
    .number()
    .min(0)
    .lt(1)
    .default(0.25)
    .describe("probability that a unit of the last hidden layer is left out"),
  epochs: z.int().positive().default(20).describe("passes over the public images"),
  batch: z.int().positive().default(128).describe("images a step"),
  rate: z.number().positive().default(1e-3).describe("learning rate of Adam, times 0.8 after every second epoch"),
});
export type ScoreMapSettings = z.output<typeof ScoreMapSettings>;

/** A public network whose features say who or what is in an image: the model that targets start from. */
export interface Embedding {
  readonly model: Model;
  readonly state: StateDict;
}

/** What was learnt of a target's scores, as an attack uses it. */
export interface ScoreMap {
  /** Rows of `scoreRows` or `idealRows` [N, classes] to features [N, features]. */
  map(rows: Value): Value;
  /** Images [N, C, H, W] to the public network's features [N, features]. */
  embed(images: Value): Value;
  /** Images whose scores were asked for to learn it. */
  readonly asked: number;
}

/** Probabilities below this count as this; the released code's ideal scores stand as far below 1. */
const LEAST = 1e-18;
/** What is added to logarithms, so that all are above zero (released code). */
const SHIFT = 50;
const LEAK = 0.2;
const MAP = "map/";
const CENTRE = "centre";
const SPREAD = "spread";
const ASKED = "asked";

/** Linear layers with the released code's names. */
function networkOf({ hidden }: ScoreMapSettings, classes: number, features: number) {
  const trunk = sequential(
    linear("map.0", classes, hidden),
    leakyRelu(LEAK),
    linear("map.2", hidden, hidden),
    leakyRelu(LEAK),
  );
  return { trunk, last: linear("map.5", hidden, features) };
}

/** Rows of natural logarithms, moved above zero and brought to length 1. */
function normalized(logs: Float32Array, classes: number): Float32Array {
  const out = logs.map((x) => x + SHIFT);
  for (let at = 0; at < out.length; at += classes) {
    const row = out.subarray(at, at + classes);
    const length = Math.hypot(...row);
    for (let j = 0; j < classes; j++) row[j]! /= length;
  }
  return out;
}

/** Probabilities [n, classes] as the map takes them: their logarithms, moved above zero, at length 1. */
export function scoreRows(probabilities: Float32Array, classes: number): Float32Array {
  return normalized(
    probabilities.map((p) => Math.log(Math.max(p, LEAST))),
    classes,
  );
}

/** As the map takes them, `count` rows of what a target would say of a class that it is as sure of as can be, the others differing at random. */
export function idealRows(wanted: number, classes: number, count: number, rng: Rng): Float32Array {
  const logs = Float32Array.from({ length: count * classes }, (_, i) =>
    i % classes === wanted ? 0 : Math.log(LEAST) + Math.log(Math.max(Math.abs(rng.normal()), LEAST)),
  );
  return normalized(logs, classes);
}

/** The mean row, and one over the deviation of all numbers from it. */
function standards(rows: Float32Array, classes: number): { centre: FloatTensor; spread: FloatTensor } {
  const sums = new Float64Array(classes);
  for (const [at, x] of rows.entries()) sums[at % classes]! += x;
  const centre = Float32Array.from(sums, (total) => (total * classes) / rows.length);
  const squares = rows.reduce((total, x, at) => total + (x - centre[at % classes]!) ** 2, 0);
  return { centre: tensor(centre, [classes]), spread: tensor([Math.sqrt(rows.length / Math.max(squares, 1e-12))], []) };
}

/** Rows about zero and of size one: rows of `scoreRows` differ little, and a network is slow to tell such apart. */
const standardized = (rows: Value, { centre, spread }: ReturnType<typeof standards>): Value =>
  mul(sub(rows, constant(centre, CENTRE)), constant(spread, SPREAD));

/**
 * Learns a map from the target's scores of public images to a public network's features of them, by their mean squared difference (Ye et
 * al., TDSC 2023; the released code's network and settings, with its input standardised). Asks for each image's scores once. Resumes. Gives what `openScoreMap` takes.
 * @param options.answers what the target's owner makes of its probabilities
 * @throws DivergedError when the loss is no longer finite.
 */
export async function trainScoreMap(options: {
  readonly settings: ScoreMapSettings;
  readonly model: Model;
  readonly state: StateDict;
  readonly answers?: Answers;
  readonly embedding: Embedding;
  readonly images: ImageSet;
  readonly seed: number;
  readonly work: Work;
}): Promise<StateDict> {
  const { settings: c, model, embedding, images, seed, work } = options;
  const { classes } = model;
  const { scores, asked } = await scoresOf(options);
  const rows = scoreRows(scores, classes);
  const features = await featuresOf(embedding, images);
  const width = embedding.model.features;
  const batch = Math.min(c.batch, images.size);
  const perEpoch = Math.floor(images.size / batch);

  const scale = standards(rows, classes);
  const { trunk, last } = networkOf(c, classes, width);
  const net = trainable({ training: true });
  const kept = input("kept", [batch, c.hidden]);
  const guess = net.apply(last, mul(net.apply(trunk, standardized(input("rows", [batch, classes]), scale)), kept));
  const loss = meanSquaredError(guess, input("features", [batch, width]));
  const steps = c.epochs * perEpoch;
  const milestones = Array.from({ length: Math.ceil(c.epochs / 2) }, (_, i) => 2 * (i + 1) * perEpoch);
  const plan = { name: "optimizer", optimizer: adam(), rate: steppedRate(c.rate, milestones, 0.8) };
  const weights = net.trained();
  const first = initialState([...trunk.weights, ...last.weights], seedFor(seed, "score-map"));
  const store = createStore({ ...first, ...optimizerState(plan, weights) });
  const program = await compile({
    outputs: { loss },
    updates: optimizerUpdates(plan, weights, grad(loss, weights)),
    store,
  });
  const taken = (from: Float32Array, length: number, chosen: Int32Array) => {
    const out = new Float32Array(batch * length);
    for (const [i, row] of chosen.entries()) out.set(from.subarray(row * length, (row + 1) * length), i * length);
    return out;
  };
  await runLoop({
    work,
    name: "score-map",
    total: steps,
    unit: "steps",
    store,
    async open() {
      return async (step) => {
        const epoch = Math.floor(step / perEpoch);
        const order = random(seed, "score-map", "order", epoch).permutation(images.size);
        const chosen = order.subarray((step % perEpoch) * batch, ((step % perEpoch) + 1) * batch);
        const rng = random(seed, "score-map", "dropout", step);
        const result = await program.run({
          rows: taken(rows, classes, chosen),
          features: taken(features, width, chosen),
          kept: Float32Array.from({ length: batch * c.hidden }, () =>
            rng.uniform() < c.dropout ? 0 : 1 / (1 - c.dropout),
          ),
        });
        const value = result.loss!.data[0]!;
        checkFinite("score-map", step, value);
        if ((step + 1) % perEpoch === 0) await work.log({ training: "score-map", epoch: epoch + 1, loss: value });
        return { loss: value };
      };
    },
  });
  await program.release();
  const learnt = Object.entries(store.snapshot(Object.keys(first))).map(([name, t]) => [`${MAP}${name}`, t] as const);
  return {
    ...Object.fromEntries(learnt),
    [CENTRE]: scale.centre,
    [SPREAD]: scale.spread,
    [ASKED]: tensor([asked], []),
  };
}

/** The target's scores of all images, through a handle that gives no more. */
async function scoresOf({
  model,
  state,
  answers,
  images,
}: Pick<Parameters<typeof trainScoreMap>[0], "model" | "state" | "answers" | "images">) {
  const meter = queryMeter();
  const { target, release } = openTarget("scores", model, state, meter, answers);
  const judge = { predict: async (rows: Float32Array) => ({ scores: await target.scores(rows) }), release };
  const { scores } = await predictSet<"scores">(judge, images);
  await judge.release();
  return { scores, asked: meter.count().images };
}

const embedder = ({ model, state }: Embedding): ((images: Value) => Value) => {
  const [net, layer] = [fixed(state), featureLayer(model)];
  return (images) => net.apply(layer, images);
};

async function featuresOf(embedding: Embedding, images: ImageSet): Promise<Float32Array> {
  const embed = embedder(embedding);
  const net = await predictor(embedding.model.input, 64, (x) => ({ features: embed(x) }));
  const { features } = await predictSet(net, images);
  await net.release();
  return features;
}

/** What `trainScoreMap` learnt with these settings, in an attack's hands. */
export function openScoreMap(
  settings: ScoreMapSettings,
  classes: number,
  embedding: Embedding,
  learnt: StateDict,
): ScoreMap {
  const own = Object.entries(learnt).flatMap(([name, t]) =>
    name.startsWith(MAP) ? [[name.slice(MAP.length), t] as const] : [],
  );
  const { trunk, last } = networkOf(settings, classes, embedding.model.features);
  const whole: Layer = sequential(trunk, last);
  const net = fixed(Object.fromEntries(own));
  const scale = { centre: learnt[CENTRE]!, spread: learnt[SPREAD]! };
  return {
    map: (rows) => net.apply(whole, standardized(rows, scale)),
    embed: embedder(embedding),
    asked: learnt[ASKED]!.data[0]!,
  };
}
