import { z } from "zod";
import type { CellResult } from "./result.ts";

/** JSON has no number for what is not finite: it is null there. */
const number = z.number().nullable();
const measured = z.strictObject({
  value: number,
  n: z.int().min(0).describe("how many it is of"),
  low: number.describe("lower end of the 95 % interval"),
  high: number.describe("upper end of the 95 % interval"),
});
const measurements = z.record(z.string(), measured);

const identity = z.strictObject({
  identity: z.string(),
  label: z.int().min(0),
  naturalAccuracy: number,
  attackAccuracy: number,
  attackAccuracyTop5: number,
  knnDistance: number,
  floors: z.strictObject({ randomPrior: number, initialSelection: number }).exactOptional(),
  judges: z.strictObject({ attackAccuracy: z.array(number).readonly(), unanimous: number }).exactOptional(),
});

const attribute = z.strictObject({
  name: z.string(),
  kind: z.enum(["number", "category"]),
  unit: z.enum(["accuracy", "mean absolute error"]),
  reconstruction: measured,
  guess: measured,
  real: measured,
});

const privacy = z.strictObject({
  epsilon: number,
  delta: number,
  order: number.describe("of the Rényi divergence that gives the least ε"),
  noiseMultiplier: number,
  sampleRate: number,
  steps: number,
  clip: number,
});

const judge = z.strictObject({
  name: z.string(),
  naturalAccuracy: measured.exactOptional(),
  realPairs: z.strictObject({ same: measured, different: measured }).exactOptional(),
  refused: z.int().min(0).exactOptional(),
  attackAccuracy: measured,
});

const judges = z.strictObject({
  judges: z.array(judge).readonly(),
  agreement: measured,
  unanimous: measured,
  unconfirmed: measured.exactOptional(),
  single: measured.exactOptional(),
});

/** Every key of a result has its place here: it does not compile otherwise. */
const keys = {
  schemaVersion: z.literal(1),
  defense: z.string().describe("kinds of the defenses: tl-dmi + label-smoothing"),
  attack: z.string().describe("kind of the attack"),
  defenseLabel: z
    .string()
    .exactOptional()
    .describe("what the study calls the defense, where that is not its kind: its name, or its kind with a number"),
  attackLabel: z
    .string()
    .exactOptional()
    .describe("what the study calls the attack, where that is not its kind: its name, or its kind with a number"),
  model: z.string(),
  seed: z.int(),
  trainableParameters: z.int().min(0).describe("|θ_C|: parameters that saw private data"),
  frozenParameters: z.int().min(0).describe("|θ_E|: parameters kept as pre-trained"),
  boundary: z.string().nullable().describe("name of the last frozen stage; null where nothing is frozen"),
  start: z.literal("scratch").exactOptional().describe("where the target's weights started, if not pre-trained"),
  privacy: privacy.exactOptional().describe("the (ε, δ) of the target's training, where a defense gives one"),
  naturalAccuracy: measured.describe("the target's accuracy on private test images"),
  attackAccuracy: measured.describe(
    "share of reconstructions in which the evaluation model sees the attacked identity",
  ),
  attackAccuracyTop5: measured.describe("the same among its first five guesses"),
  knnDistance: measured.describe("squared L2 distance to the nearest private training image of the class, in features"),
  floors: z.strictObject({ randomPrior: measured, initialSelection: measured }),
  queries: z.strictObject({ images: z.int().min(0), gradients: z.int().min(0) }).exactOptional(),
  remark: z.string().exactOptional(),
  cost: z
    .strictObject({
      seconds: z.number().min(0).describe("wall time"),
      peakMemory: z.number().min(0).describe("bytes").exactOptional(),
    })
    .exactOptional(),
  metrics: measurements.exactOptional().describe("every measured metric by its kind"),
  realImages: measurements.exactOptional().describe("what private test images reach in the place of reconstructions"),
  attributeRecovery: z.array(attribute).readonly(),
  identities: z.array(identity).readonly(),
  evaluationModel: z.strictObject({ kind: z.string(), naturalAccuracy: measured }),
  judges: judges.exactOptional(),
  basis: z.strictObject({ train: z.string(), test: z.string(), evaluationModel: z.string() }).exactOptional(),
  run: z.string().describe("the cell's run folder, relative to the study's"),
} satisfies Record<keyof CellResult, z.ZodType>;

/** `result.json` of a cell's run folder, version 1: what readers outside of this package may count on. */
export const CellResultSchema: z.ZodObject<typeof keys, z.core.$strict> = z.strictObject(keys);
