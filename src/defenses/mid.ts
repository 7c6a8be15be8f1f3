import { z } from "zod";
import type { Value } from "../engine/graph.ts";
import { softplus } from "../engine/ops/activation.ts";
import { add, log, maximum, mul, square, sub } from "../engine/ops/elementwise.ts";
import { sliceAxis } from "../engine/ops/movement.ts";
import { mean, sum } from "../engine/ops/reduce.ts";
import type { Layer } from "../models/layer.ts";
import { linear } from "../models/layers.ts";
import { type Model, withHead } from "../models/model.ts";
import { defineDefense } from "./defense.ts";

/** Names under which the head shows the bottleneck's distribution. */
export const BOTTLENECK = { mean: "bottleneck.mean", deviation: "bottleneck.deviation" } as const;

/** Mutual-information regularisation as a variational information bottleneck between features and logits. */
export const mid = defineDefense({
  kind: "mid",
  summary: "a noisy bottleneck in the head, trained to pass on as few bits about the image as the labels need",
  paper:
    "Wang et al., Improving Robustness to Model Inversion Attacks via Mutual Information Regularization, AAAI 2021",
  config: z.strictObject({
    beta: z
      .number()
      .min(0)
      .default(0.003)
      .describe("β, the weight of the bottleneck's information; 0.001 to 0.03 in published code"),
    width: z.int().positive().optional().describe("numbers in the bottleneck; half of the features by default"),
  }),
  reshape: {
    part: "head",
    model: ({ width }, model) =>
      withHead(model, bottleneck(model, width ?? Math.max(1, Math.floor(model.features / 2)))),
  },
  recipe: ({ beta }) => ({
    penalties: [
      (_logits, _targets, { observed }) =>
        mul(gaussianInformation(observed(BOTTLENECK.mean), observed(BOTTLENECK.deviation)), beta),
    ],
  }),
});

/**
 * A linear layer gives the mean and, by softplus(s − 5), the deviation of `width` numbers; another makes logits of a draw from them.
 * Outside training the draw is the mean, so that the trained model is a plain classifier.
 */
function bottleneck({ features, classes }: Model, width: number): Layer {
  const statistics = linear("bottleneck", features, 2 * width);
  const classifier = linear("fc", width, classes);
  return {
    weights: [...statistics.weights, ...classifier.weights],
    apply(x, context) {
      const both = statistics.apply(x, context);
      const centre = sliceAxis(both, 1, 0, width);
      const deviation = softplus(sub(sliceAxis(both, 1, width, 2 * width), 5));
      context.observe(BOTTLENECK.mean, centre);
      context.observe(BOTTLENECK.deviation, deviation);
      const drawn = context.training ? add(centre, mul(deviation, context.noise("bottleneck", centre.shape))) : centre;
      return classifier.apply(drawn, context);
    },
  };
}

/** KL(N(μ, σ²) ‖ N(0, 1)) in nats, summed over numbers and averaged over rows: μ and σ [N, k], −½·(1 + 2·log σ − μ² − σ²). */
export function gaussianInformation(centre: Value, deviation: Value): Value {
  // softplus underflows far below −5, where the logarithm would be infinite.
  const logs = mul(log(maximum(deviation, 1e-30)), 2);
  const terms = sub(add(square(centre), square(deviation)), add(logs, 1));
  return mul(mean(sum(terms, [1])), 0.5);
}
