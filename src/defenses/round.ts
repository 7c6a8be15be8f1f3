import { z } from "zod";
import { defineDefense } from "./defense.ts";

/** Rounded confidence values: attacks on scores see less of how a small change of an image moves them. Weights are as they were. */
export const round = defineDefense({
  kind: "round",
  summary: "answers with rounded probabilities; the weights, and so white-box attacks, are untouched",
  paper: "Fredrikson et al., Model Inversion Attacks that Exploit Confidence Information, CCS 2015",
  config: z.strictObject({
    to: z
      .number()
      .gt(0)
      .max(1)
      .default(0.05)
      .describe("probabilities are rounded to multiples of this; 0.001 to 0.1 in the paper"),
  }),
  recipe: ({ to }) => ({
    outputs: { open: () => (probabilities) => probabilities.map((p) => Math.round(p / to) * to) },
  }),
});
