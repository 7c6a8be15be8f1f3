import { z } from "zod";
import { adversarialSteps } from "./adversarial-steps.ts";
import { defineDefense } from "./defense.ts";

/**
 * Anti-adversarial training: CE(x, y) + λ·CE(x + δ, y′), in which δ is the tiny perturbation that moves the model farthest towards a
 * wrong class y′. A model that follows such perturbations has gradients that lead an inversion nowhere. The defaults are the released
 * code's, whose images lie in [−1, 1], in units of images in [0, 1].
 */
export const atAt = defineDefense({
  kind: "at-at",
  summary:
    "trains the model to change its mind under tiny targeted perturbations, so that its gradients mislead inversion",
  paper: "Anti-Adversarial Training, ICLR 2026",
  config: z.strictObject({
    weight: z.number().min(0).default(0.08).describe("λ, the weight of the loss at perturbed images"),
    epsilon: z.number().positive().max(1).default(0.00025).describe("the most that a perturbation changes a pixel by"),
    step: z.number().positive().max(1).default(0.00005).describe("what a step of the perturbation changes a pixel by"),
    iterations: z.int().positive().default(5).describe("steps of projected gradient descent for each perturbation"),
    randomStart: z.boolean().default(true).describe("start perturbations uniformly within epsilon, not at zero"),
  }),
  recipe: (config) => ({ steps: adversarialSteps(config) }),
});
