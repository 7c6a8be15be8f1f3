import { z } from "zod";
import { Augmentation } from "../data/augment.ts";
import { adam, adamw, type OptimizerPlan, sgd } from "../engine/optimizer.ts";
import { constantRate, cosineRate, type Schedule, withWarmup } from "../engine/schedule.ts";

const optimizers = {
  sgd: (s: TrainingSettings) => sgd({ momentum: s.momentum, weightDecay: s.weightDecay, nesterov: s.nesterov }),
  adam: (s: TrainingSettings) => adam({ weightDecay: s.weightDecay }),
  adamw: (s: TrainingSettings) => adamw({ weightDecay: s.weightDecay }),
};

/** How a network is trained on labelled images. */
export const TrainingSettings = z.strictObject({
  epochs: z.number().positive().default(20).describe("passes over the training images"),
  batch: z.int().min(2).default(64).describe("images a step"),
  optimizer: z.enum(["sgd", "adam", "adamw"]).default("sgd"),
  rate: z.number().positive().default(0.01).describe("learning rate"),
  momentum: z.number().min(0).lt(1).default(0.9).describe("of sgd"),
  nesterov: z.boolean().default(false).describe("of sgd"),
  weightDecay: z.number().min(0).default(1e-4),
  schedule: z.enum(["constant", "cosine"]).default("cosine").describe("cosine: down to zero at the last step"),
  warmup: z.number().min(0).default(0).describe("epochs of linearly rising learning rate"),
  labelSmoothing: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe("share of each target spread over all classes; training only"),
  augment: Augmentation.prefault({}),
  cachedViews: z
    .int()
    .positive()
    .optional()
    .describe(
      "so many augmented views of each image, one an epoch in turn, instead of ever new ones (docs/frontier.md)",
    ),
});
export type TrainingSettings = z.output<typeof TrainingSettings>;

/** The optimiser of these settings for a run of `steps` steps, `perEpoch` of them an epoch. */
export function plannedOptimizer(settings: TrainingSettings, steps: number, perEpoch: number): OptimizerPlan {
  const { rate, schedule, warmup } = settings;
  const base: Schedule = schedule === "cosine" ? cosineRate(rate, steps) : constantRate(rate);
  return {
    name: "optimizer",
    optimizer: optimizers[settings.optimizer](settings),
    rate: warmup > 0 ? withWarmup(base, Math.round(warmup * perEpoch)) : base,
  };
}

/** How a training is cut into steps. */
export function stepCounts({ batch: wanted, epochs }: TrainingSettings, images: number) {
  const batch = Math.min(wanted, images);
  const perEpoch = Math.ceil(images / batch);
  return { batch, perEpoch, total: Math.max(1, Math.round(epochs * perEpoch)) };
}
