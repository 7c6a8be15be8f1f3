import { z } from "zod";
import type { Value } from "../engine/graph.ts";
import { add, mul, sub } from "../engine/ops/elementwise.ts";
import { oneHot } from "../engine/ops/movement.ts";
import { argMax } from "../engine/ops/reduce.ts";
import { type Model, stageIndex } from "../models/model.ts";
import type { Penalty } from "./defense.ts";
import { type KernelKind, kernels } from "./dependence.ts";

export const BIDO_PAPER = "Peng et al., Bilateral Dependency Optimization, KDD 2022";

const Kernel = z.enum(Object.keys(kernels) as [KernelKind, ...KernelKind[]]);

/** The keys of bilateral dependency optimisation, with the weights that suit a measure. */
export const bidoConfig = (weights: { readonly lambdaX: number; readonly lambdaY: number }) =>
  z.strictObject({
    lambdaX: z
      .number()
      .min(0)
      .default(weights.lambdaX)
      .describe("λx: weight of the dependence between images and hidden features, which is lowered"),
    lambdaY: z
      .number()
      .min(0)
      .default(weights.lambdaY)
      .describe("λy: weight of the dependence between hidden features and labels, which is raised"),
    stages: z
      .array(z.string())
      .nonempty()
      .optional()
      .describe("stages whose outputs are the hidden features; the last of each group (layer1, layer2, …) by default"),
    kernel: Kernel.default("gaussian").describe("of images and hidden features"),
    labelKernel: Kernel.default("linear").describe("of one-hot labels"),
    sigma: z.number().positive().default(5).describe("σ of the gaussian kernel, in units of √(length of the vectors)"),
  });

/** Bilateral dependency optimisation: λx·d(X, Z) − λy·d(Z, Y), summed over hidden features Z. */
export function bidoPenalty(
  config: z.output<ReturnType<typeof bidoConfig>>,
  model: Model,
  dependence: (k: Value, l: Value) => Value,
): Penalty {
  const { lambdaX, lambdaY, sigma } = config;
  const hidden = (config.stages ?? lastOfGroups(model)).map((name) => model.stages[stageIndex(model, name)]!.name);
  return (_logits, targets, { images, observed }) => {
    const x = kernels[config.kernel](images, sigma);
    // Targets may be smoothed; their largest entry is the label all the same.
    const y = kernels[config.labelKernel](oneHot(argMax(targets), model.classes), sigma);
    return [...new Set(hidden)]
      .map((name) => {
        const z = kernels[config.kernel](observed(name), sigma);
        return sub(mul(dependence(x, z), lambdaX), mul(dependence(z, y), lambdaY));
      })
      .reduce((a, b) => add(a, b));
  };
}

/** `layer1.1`, `layer2.1`, …: the outputs of a model's blocks. A stage without a group, such as a stem, is none. */
function lastOfGroups({ stages }: Model): string[] {
  const groups = stages.flatMap(({ name }) => (name.includes(".") ? [name.split(".")[0]!] : []));
  return groups.length > 0 ? [...new Set(groups)] : stages.map(({ name }) => name);
}
