import { z } from "zod";
import { likeliest } from "../models/answers.ts";
import { defineDefense } from "./defense.ts";

/** The likeliest class alone: whoever asks for scores sees what an attack on labels sees. Weights are as they were. */
export const top1 = defineDefense({
  kind: "top-1",
  summary: "answers with the likeliest class alone; the weights, and so white-box attacks, are untouched",
  paper: "Shokri et al., Membership Inference Attacks Against Machine Learning Models, S&P 2017",
  config: z.strictObject({}),
  recipe: (_config, { classes }) => ({
    outputs: {
      open: () => (probabilities) => {
        const out = new Float32Array(probabilities.length);
        for (const [row, k] of likeliest(probabilities, classes).entries()) out[row * classes + k] = 1;
        return out;
      },
    },
  }),
});
