import { z } from "zod";
import { adam } from "../engine/optimizer.ts";
import { identityLossSchema } from "./identity-loss.ts";

/** Settings of attacks that start as PPA does, and step as it does: from random styles that the target likes, by Adam on the Poincaré loss. */
export const forgetfulAdamSettings = {
  rate: z.number().positive().default(0.005).describe("learning rate of Adam, β (0.1, 0.1)"),
  identityLoss: identityLossSchema.unwrap().default("poincare"),
  pool: z
    .int()
    .positive()
    .default(2000)
    .describe("random styles among which the first candidates are chosen: 2000 for FaceScrub, 5000 for CelebA"),
  truncation: z.number().min(0).max(1).default(0.5).describe("ψ of the random styles"),
};

/** Nine tenths of a moving average are gone after one step, so that Adam forgets the candidate's far past (PPA's released code). */
export const forgetfulAdam = adam({ betas: [0.1, 0.1] });
