import { z } from "zod";
import type { Layer } from "../models/layer.ts";
import { batchNorm, conv, sequential } from "../models/layers.ts";
import type { Model, Stage } from "../models/model.ts";
import { sparseCoding } from "../models/sparse-coding.ts";
import { defineDefense } from "./defense.ts";

/**
 * Sparse-coding architecture: two layers that keep of an image what a few features of a learnt dictionary say, each followed by a batch
 * norm. The paper builds a small network on them; here a 1×1 convolution makes images of the codes again, so that any architecture and
 * its start weights can follow. The paper's layers have 16 and 32 features; half of them, and FISTA in place of 500 steps of the
 * locally competitive algorithm, keep training within reach of a CPU.
 */
export const sca = defineDefense({
  kind: "sca",
  summary: "puts two sparse-coding layers before the network, so that little of an image gets in",
  paper: "Dibbo et al., Improving Robustness to Model Inversion Attacks via Sparse Coding Architectures, ECCV 2024",
  config: z.strictObject({
    features: z
      .int()
      .positive()
      .max(256)
      .default(8)
      .describe("features of the first dictionary, 16 in the paper's code; the second has twice as many"),
    kernel: z
      .int()
      .min(1)
      .max(15)
      .refine((k) => k % 2 === 1, "must be odd")
      .default(5)
      .describe("side of a feature in pixels, odd"),
    lambda: z.number().min(0).default(0.5).describe("λ: what a coefficient costs; larger ones leave fewer"),
    iterations: z
      .int()
      .positive()
      .max(500)
      .default(20)
      .describe("steps towards each code; each costs two convolutions"),
  }),
  reshape: {
    part: "front",
    model: ({ features, ...coding }, model) =>
      withFront(model, [
        sparseCoding("sca.0", model.input[0], { ...coding, features }),
        batchNorm("sca.1", features),
        sparseCoding("sca.2", features, { ...coding, features: 2 * features }),
        batchNorm("sca.3", 2 * features),
        conv("sca.4", 2 * features, model.input[0], 1),
      ]),
  },
  recipe: () => ({}),
});

/** The model with layers before its first stage, as a part of that stage. */
function withFront(model: Model, layers: readonly Layer[]): Model {
  const { shortcuts } = model;
  const [stem] = model.stages;
  const front: Stage = { name: stem!.name, layer: sequential(...layers, stem!.layer) };
  // Shapes of other stages leave the first one the same object.
  const behind = (stages: readonly Stage[]) => [front, ...stages.slice(1)];
  return {
    ...model,
    stages: behind(model.stages),
    ...(shortcuts && { shortcuts: (group: string, factor: number) => behind(shortcuts(group, factor)) }),
  };
}
