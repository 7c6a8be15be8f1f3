import { z } from "zod";
import { attacks } from "../attacks/index.ts";
import { dataSources } from "../data/index.ts";
import { defenses } from "../defenses/index.ts";
import { metrics } from "../metrics/index.ts";
import { models } from "../models/index.ts";
import { TrainingSettings } from "../models/training.ts";
import { priors } from "../priors/index.ts";
import { studySchema } from "./schema.ts";

const { shape: trainingKeys } = TrainingSettings;

/** Start weights are trained, or come from a file. */
const PretrainingSettings = TrainingSettings.safeExtend({
  weights: z
    .string()
    .min(1)
    .optional()
    .describe("file with start weights, in place of training: safetensors, or PyTorch's .pth of a state dict"),
}).check(({ value, issues }) => {
  if (value.weights === undefined) return;
  const standard: Record<string, unknown> = TrainingSettings.parse({});
  for (const key of Object.keys(trainingKeys)) {
    const given: unknown = value[key as keyof typeof trainingKeys];
    if (JSON.stringify(given) === JSON.stringify(standard[key])) continue;
    const message = "start weights come from a file and are not trained; leave this key out, or weights";
    issues.push({ code: "custom", input: given, path: [key], message });
  }
});

/** The schema of study files over everything that this package has. */
export const StudySchema = studySchema({
  data: dataSources,
  models,
  priors,
  defenses,
  attacks,
  metrics,
  training: TrainingSettings.prefault({}),
  pretraining: PretrainingSettings.prefault({}),
});

/** A resolved study: every default filled in. */
export type Study = z.output<typeof StudySchema>;
