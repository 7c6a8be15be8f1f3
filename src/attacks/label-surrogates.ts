import { z } from "zod";
import type { ImageSet } from "../data/dataset.ts";
import { memorySet } from "../data/memory-set.ts";
import { unitValues } from "../data/to-unit.ts";
import type { Value } from "../engine/graph.ts";
import { random, seedFor } from "../engine/random.ts";
import { createStore, type StateDict } from "../engine/store.ts";
import { filled } from "../engine/tensor.ts";
import { runLoop, type Work } from "../engine/work.ts";
import { fixed, initialState } from "../models/bind.ts";
import { densenet121, densenet161, densenet169 } from "../models/densenet.ts";
import { logitsLayer, type ModelShape, weightsOf } from "../models/model.ts";
import { classification, oneHotTargets, train } from "../models/train.ts";
import { TrainingSettings } from "../models/training.ts";
import { unionOf } from "../models/union.ts";
import { type LabellingTarget, type Prior, weightsUnder } from "../priors/prior.ts";
import { renderer } from "../priors/synthesize.ts";
import { architectures, buildStudents, type StudentChoice } from "./students.ts";

/** LOKT's ensemble. */
const ENSEMBLE = [densenet121, densenet161, densenet169];

/** Settings of networks that learn the target's labels of a conditional prior's images (LOKT's S and S_en). */
export const labelSurrogateSettings = z.strictObject({
  models: z
    .array(unionOf(architectures))
    .nonempty()
    .default(ENSEMBLE.map((family) => ({ kind: family.kind, ...family.config.parse({}) })) as never)
    .describe("an architecture for each network; LOKT's are the default"),
  perClass: z
    .int()
    .positive()
    .default(500)
    .describe("images generated for each class, each of which the target is asked to label"),
  publicImages: z
    .int()
    .positive()
    .optional()
    .describe(
      "so many of the public images are labelled and learnt from too, the first of them; none in the paper, whose classes they would put out of balance",
    ),
  training: TrainingSettings.prefault({
    epochs: 12,
    batch: 256,
    rate: 0.1,
    weightDecay: 5e-4,
    augment: { flip: 0.5, crop: 4, brightness: 0.2, contrast: 0.2 },
  }).describe(
    "how each network is trained; 12 passes over 500 images of each of 1,000 classes are the released code's 200 epochs of 30,000 images",
  ),
});
export type LabelSurrogateSettings = z.output<typeof labelSurrogateSettings>;

const prefixOf = (i: number) => `surrogate${i}/`;
/** Images that the target is asked to label at a time. */
const ASKED = 64;

/**
 * Networks that learn the labels that a target gives to images of a conditional prior, equally many of each class that the prior is
 * asked for (Nguyen et al., NeurIPS 2023, section 4.3), and to public ones where the settings say so. Resumes; labels that were given are
 * not asked for again. Gives everything under prefixes, for `openLabelSurrogates`.
 */
export async function trainLabelSurrogates(options: {
  readonly settings: LabelSurrogateSettings;
  readonly shape: ModelShape;
  readonly target: LabellingTarget;
  readonly prior: Prior;
  /** The attacker's images, for `publicImages`. */
  readonly images: ImageSet;
  readonly seed: number;
  readonly work: Work;
}): Promise<StateDict> {
  const { settings, shape, seed, work } = options;
  const labelled = await labelledImages(options);
  const learnt: Record<string, StateDict[string]> = {};
  for (const [i, student] of buildStudents(settings.models, shape).entries()) {
    const own = seedFor(seed, "label-surrogate", i);
    const trained = await train({
      work,
      name: `surrogate${i}`,
      trained: logitsLayer(student),
      start: initialState(weightsOf(student), own),
      objective: classification,
      targets: oneHotTargets(shape.classes),
      train: labelled,
      settings: settings.training,
      seed: own,
    });
    for (const [name, t] of Object.entries(trained)) learnt[`${prefixOf(i)}${name}`] = t;
  }
  return learnt;
}

/**
 * Images of the prior, and public ones after them, under the labels that the target gives them. Only labels are kept in checkpoints: images
 * are drawn and read again.
 */
async function labelledImages({
  settings,
  shape: { input, classes },
  target,
  prior,
  images: set,
  seed,
  work,
}: Parameters<typeof trainLabelSurrogates>[0]) {
  const [channels, height, width] = input;
  const length = channels * height * width;
  const generated = settings.perClass * classes;
  const size = generated + Math.min(settings.publicImages ?? 0, set.size);
  const { latent } = prior.networks;
  const painter = await renderer(prior, ASKED);
  const bytes = new Uint8Array(size * length);
  const store = createStore({ labels: filled([size], 0) });
  const given = store.get("labels").data;
  const paint = async (step: number, at: number, count: number) => {
    const wanted = Int32Array.from({ length: count }, (_, i) => (at + i) % classes);
    const images = await painter.render(random(seed, "label-surrogates", step).normals(count * latent), wanted);
    for (const [i, x] of images.entries()) bytes[at * length + i] = Math.round(255 * x);
    return images;
  };
  const read = async (at: number, count: number) => {
    const part = bytes.subarray(at * length, (at + count) * length);
    await set.read(
      Int32Array.from({ length: count }, (_, i) => at - generated + i),
      part,
    );
    return unitValues(part);
  };
  /** The first image of a step; no step has images of both kinds. */
  const painted = Math.ceil(generated / ASKED);
  const from = (step: number) => (step < painted ? step * ASKED : generated + (step - painted) * ASKED);
  const imagesOf = (step: number) => {
    const at = from(step);
    const count = Math.min(ASKED, (step < painted ? generated : size) - at);
    return step < painted ? paint(step, at, count) : read(at, count);
  };
  await runLoop({
    work,
    name: "labels",
    total: painted + Math.ceil((size - generated) / ASKED),
    unit: `batches of ${ASKED} labels`,
    store,
    async open(first) {
      for (let step = 0; step < first; step++) {
        work.signal.throwIfAborted();
        await imagesOf(step);
      }
      return async (step) => {
        for (const [i, label] of (await target.labels(await imagesOf(step))).entries()) given[from(step) + i] = label;
        return {};
      };
    },
  });
  await painter.release();
  return memorySet({
    name: "images as the target labels them",
    channels,
    height,
    width,
    classes: Array.from({ length: classes }, (_, k) => `class ${k}`),
    labels: Int32Array.from(given),
    bytes,
  });
}

/** What `trainLabelSurrogates` learnt with these settings about a target of that shape: each network, [N, C, H, W] to logits. */
export function openLabelSurrogates(
  { models }: { readonly models: readonly StudentChoice[] },
  shape: ModelShape,
  learnt: StateDict,
): ((images: Value) => Value)[] {
  return buildStudents(models, shape).map((student, i) => {
    const net = fixed(weightsUnder(prefixOf(i), learnt));
    return (images: Value) => net.apply(logitsLayer(student), images);
  });
}
