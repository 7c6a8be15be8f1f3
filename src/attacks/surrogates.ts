import { z } from "zod";
import type { ImageSet } from "../data/dataset.ts";
import { subset } from "../data/subset.ts";
import type { Value } from "../engine/graph.ts";
import { softmax } from "../engine/ops/activation.ts";
import { seedFor } from "../engine/random.ts";
import type { StateDict } from "../engine/store.ts";
import { tensor } from "../engine/tensor.ts";
import type { Work } from "../engine/work.ts";
import { fixed, initialState } from "../models/bind.ts";
import { efficientnetB0, efficientnetB1, efficientnetB2 } from "../models/efficientnet.ts";
import { featureLayer, logitsLayer, type Model, type ModelShape, weightsOf } from "../models/model.ts";
import { predictor, predictSet } from "../models/predict.ts";
import { classification, train } from "../models/train.ts";
import { TrainingSettings } from "../models/training.ts";
import { unionOf } from "../models/union.ts";
import { architectures, buildStudents } from "./students.ts";

/** LOMMA's students. */
const STUDENTS = [efficientnetB0, efficientnetB1, efficientnetB2];

/** Settings of an attack that can use what is learnt of the target from public images beforehand (LOMMA). */
export const surrogateSettings = {
  featureWeight: z
    .number()
    .positive()
    .optional()
    .describe(
      "weight of the squared distance of the target's features from their mean over public images, in the identity loss; 1 in LOMMA's code",
    ),
  students: z
    .strictObject({
      models: z
        .array(unionOf(architectures))
        .nonempty()
        .default(STUDENTS.map((family) => ({ kind: family.kind, ...family.config.parse({}) })) as never)
        .describe("an architecture for each student; LOMMA's are the default"),
      training: TrainingSettings.prefault({ schedule: "constant" }),
    })
    .optional()
    .describe(
      "networks that learn the target's soft labels of public images; the identity loss is then the mean over target and students (LOMMA's model augmentation)",
    ),
};

/** What an attack wants to be learnt of its target beforehand. */
export type SurrogateSettings = z.output<z.ZodObject<typeof surrogateSettings>>;

/** What was learnt of a target, as an attack uses it. */
export interface Surrogates {
  /** The mean of the target's features over public images, [features]; unknown to whoever sees labels alone. */
  readonly meanFeatures?: Float32Array;
  /** Each student: [N, C, H, W] to logits [N, classes]. */
  readonly students: readonly ((images: Value) => Value)[];
}

/** These settings of an attack, where they want anything. For an attack's `surrogates`. */
export function surrogatesWanted({ featureWeight, students }: SurrogateSettings): SurrogateSettings | undefined {
  return featureWeight === undefined && students === undefined ? undefined : { featureWeight, students };
}

const MEAN = "features/mean";
const studentPrefix = (i: number) => `student${i}/`;
/** Public images whose features are averaged (released code: about as many). */
const AVERAGED = 5000;

const studentsOf = ({ students }: SurrogateSettings, shape: ModelShape) => buildStudents(students?.models ?? [], shape);

/**
 * Learns of a target from public images: the mean of its features, and students by distillation, KL(T(x) ‖ S(x)) at a temperature of 1
 * (Nguyen et al., CVPR 2023, section 4.2). Resumes. Gives everything under prefixes, for `openSurrogates`.
 */
export async function trainSurrogates(options: {
  readonly settings: SurrogateSettings;
  readonly model: Model;
  readonly state: StateDict;
  readonly images: ImageSet;
  readonly seed: number;
  readonly work: Work;
}): Promise<StateDict> {
  const { settings, model, state, images, seed, work } = options;
  const net = fixed(state);
  const judge = await predictor(model.input, 64, (x) => {
    const features = net.apply(featureLayer(model), x);
    return { features, scores: softmax(net.apply(model.head, features)) };
  });
  const seen = await predictSet(judge, images);
  await judge.release();
  const learnt: Record<string, StateDict[string]> = { [MEAN]: meanRow(seen.features, model.features) };

  // Every image is a class of its own, so that each has its own row of targets.
  const numbered = subset(
    images,
    Int32Array.from({ length: images.size }, (_, i) => i),
    {
      name: `${images.name}, as the target sees it`,
      classes: Array.from({ length: images.size }, (_, i) => `image ${i}`),
      labels: Int32Array.from({ length: images.size }, (_, i) => i),
    },
  );
  const targets = Array.from({ length: images.size }, (_, i) =>
    seen.scores.subarray(i * model.classes, (i + 1) * model.classes),
  );
  for (const [i, student] of studentsOf(settings, model).entries()) {
    const own = seedFor(seed, "student", i);
    const trained = await train({
      work,
      name: `student${i}`,
      trained: logitsLayer(student),
      start: initialState(weightsOf(student), own),
      // Cross-entropy is the divergence less the targets' entropy, which no weight changes.
      objective: classification,
      targets,
      train: numbered,
      settings: settings.students!.training,
      seed: own,
    });
    for (const [name, t] of Object.entries(trained)) learnt[`${studentPrefix(i)}${name}`] = t;
  }
  return learnt;
}

function meanRow(rows: Float32Array, width: number): StateDict[string] {
  const count = Math.min(rows.length / width, AVERAGED);
  const sums = new Float64Array(width);
  for (let at = 0; at < count * width; at++) sums[at % width]! += rows[at]!;
  return tensor(
    Float32Array.from(sums, (sum) => sum / count),
    [width],
  );
}

/** What `trainSurrogates` learnt with these settings about a target of that shape, in an attack's hands. */
export function openSurrogates(
  settings: SurrogateSettings,
  shape: ModelShape,
  learnt: StateDict,
): Required<Surrogates> {
  return {
    meanFeatures: learnt[MEAN]!.data,
    students: studentsOf(settings, shape).map((student, i) => {
      const prefix = studentPrefix(i);
      const own = Object.entries(learnt).flatMap(([name, t]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), t] as const] : [],
      );
      const net = fixed(Object.fromEntries(own));
      return (images: Value) => net.apply(logitsLayer(student), images);
    }),
  };
}
