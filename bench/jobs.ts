import { readFileSync } from "node:fs";
import type { ImageSet } from "../src/data/dataset.ts";
import { all, batches } from "../src/data/loader.ts";
import { memorySet } from "../src/data/memory-set.ts";
import { openRawFileSet } from "../src/data/raw-file-set.ts";
import type { StateDict } from "../src/engine/store.ts";
import { classifierPredictor, predictSet } from "../src/models/predict.ts";
import { type EvaluateSpec, LOADED_AT_MOST, type LoadSpec } from "./case.ts";
import { classesOf } from "./prepare.ts";
import type { Check } from "./protocol.ts";
import { buildClassifier } from "./steps/model.ts";

/** A job over many images, and the two numbers by which it is checked. */
export interface Job {
  check(): Promise<Check>;
  run(): Promise<void>;
  /** Gives back what the runtime holds; of jobs that can be profiled. */
  release?(): Promise<void>;
}

/** What the set of a case is called, and its images' form and classes. */
export function header({ images, side }: { readonly images: number; readonly side: number }, classes: number) {
  const names = Array.from({ length: classes }, (_, i) => String(i));
  return { name: "bench", channels: 3, height: side, width: side, classes: names, labels: classesOf(images, classes) };
}

/** Logits and features of every image; checked by the mean cross-entropy and by the norm of the logits. */
export async function evaluateJob(spec: EvaluateSpec, state: StateDict, path: string): Promise<Job> {
  const set = memorySet({ ...header(spec, spec.classes), bytes: new Uint8Array(readFileSync(path)) });
  const net = await classifierPredictor(buildClassifier(spec), state, spec.batch);
  const logitsOf = async () => (await predictSet(net, set, spec.batch)).logits;
  return {
    async check() {
      const logits = await logitsOf();
      const rows = Array.from(set.labels, (label, i) =>
        crossEntropy(logits.subarray(i * spec.classes, (i + 1) * spec.classes), label),
      );
      return { loss: rows.reduce((a, b) => a + b, 0) / set.size, norm: Math.sqrt(sumOf(logits, (x) => x * x)) };
    },
    async run() {
      await logitsOf();
    },
  };
}

/** Shuffled batches through the loader; checked by the mean sum and by the norm of the pixels, in the set's own order. */
export async function loadJob(spec: LoadSpec, path: string): Promise<Job> {
  const set: ImageSet = await openRawFileSet({ ...header(spec, 1), path, hash: "" });
  const wanted = Math.min(spec.images, LOADED_AT_MOST);
  return {
    async check() {
      let [seen, total, squares] = [0, 0, 0];
      for await (const { images, size } of all(set, spec.batch)) {
        const part = images.subarray(0, (Math.min(wanted, seen + size) - seen) * 3 * spec.side ** 2);
        total += sumOf(part, (x) => x);
        squares += sumOf(part, (x) => x * x);
        seen += size;
        if (seen >= wanted) break;
      }
      return { loss: total / wanted, norm: Math.sqrt(squares) };
    },
    async run() {
      let seen = 0;
      for await (const { size } of batches(set, { batch: spec.batch, seed: 1, epoch: 0 })) {
        seen += size;
        if (seen >= wanted) break;
      }
    },
  };
}

function crossEntropy(logits: Float32Array, label: number): number {
  const largest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return largest + Math.log(sumOf(logits, (x) => Math.exp(x - largest))) - logits[label]!;
}

function sumOf(values: Float32Array, f: (x: number) => number): number {
  let sum = 0;
  for (const x of values) sum += f(x);
  return sum;
}
