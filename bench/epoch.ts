import { readFileSync } from "node:fs";
import { memorySet } from "../src/data/memory-set.ts";
import { compile } from "../src/engine/runtime.ts";
import type { StateDict } from "../src/engine/store.ts";
import { unwatched } from "../src/engine/work.ts";
import { fixed } from "../src/models/bind.ts";
import { trainingFeed } from "../src/models/feed.ts";
import { splitAt } from "../src/models/model.ts";
import { predictor } from "../src/models/predict.ts";
import { classification, fillTargets, oneHotTargets } from "../src/models/train.ts";
import type { EpochSpec } from "./case.ts";
import { header, type Job } from "./jobs.ts";
import { classesOf } from "./prepare.ts";
import { buildClassifier } from "./steps/model.ts";
import { settings, tailStep } from "./steps/train.ts";

/**
 * An epoch of a target's training behind a frozen prefix: batches of cached features in a new order each time, and a step on each. The
 * features are computed before the first epoch. Checked by loss and gradient norm of a step on the first images in the set's order.
 */
export async function epochJob(
  spec: EpochSpec,
  state: StateDict,
  path: string,
  profiling: { readonly profile?: string } = {},
): Promise<Job> {
  const { batch, classes, images, side } = spec;
  const bytes = new Uint8Array(readFileSync(path));
  const set = memorySet({ ...header(spec, classes), bytes });
  const model = buildClassifier(spec);
  const { frozen, rest } = splitAt(model, spec.boundary);
  const targets = oneHotTargets(classes);
  const feed = await trainingFeed(
    {
      work: unwatched,
      name: "epoch",
      prefix: { layer: frozen, binding: () => fixed(state) },
      trained: rest,
      start: {},
      objective: classification,
      targets,
      train: set,
      settings: { ...settings, batch, epochs: 1000 },
      seed: 1,
    },
    batch,
  );
  const step = tailStep(spec, state, feed.images);
  const program = await compile({ ...step, ...profiling });
  const fed = new Float32Array(batch * classes);
  const take = (features: Float32Array, labels: Int32Array) => {
    fillTargets(fed, labels, targets, 0);
    return program.run({ images: features, targets: fed });
  };
  const order = feed.open(0);
  return {
    async check() {
      const net = await predictor([3, side, side], batch, (x) => ({ features: fixed(state).apply(frozen, x) }));
      const first = Float32Array.from(bytes.subarray(0, batch * 3 * side * side), (b) => b / 255);
      const { features } = await net.predict(first, batch);
      await net.release();
      const { loss } = await take(features, classesOf(batch, classes));
      return { loss: loss!.data[0]!, norm: step.gradientNorm!() };
    },
    async run() {
      for (let seen = 0; seen < images; seen += batch) {
        const next = (await order.next()).value!;
        await take(next.images, next.labels);
      }
    },
    release: () => program.release(),
  };
}
