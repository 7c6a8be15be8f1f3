import { z } from "zod";
import { adam } from "../engine/optimizer.ts";
import { rampedRate } from "../engine/schedule.ts";
import { alignSettings } from "./align.ts";
import { defineAttack } from "./attack.ts";
import { candidatesFor, finalSelectionSettings, leastCandidates } from "./final-selection.ts";
import { identityLossSchema } from "./identity-loss.ts";
import { heldInPSpace, pSpaceSettings, styleBounds } from "./p-space.ts";
import { patienceSetting } from "./search.ts";
import { selectInitial } from "./selection.ts";
import { searchStyles } from "./style-search.ts";

const config = z.strictObject({
  iterations: z
    .int()
    .positive()
    .default(20000)
    .describe("20,000 in the released code, which stops sooner where the target is sure"),
  rate: z
    .number()
    .positive()
    .default(0.2)
    .describe("highest learning rate of Adam; it rises for 5 % of the iterations and falls over the last 25 %"),
  identityLoss: identityLossSchema,
  identityWeight: z.number().positive().default(10).describe("λ, the weight of the identity loss"),
  flip: z.number().min(0).max(1).default(0.5).describe("probability that the target sees the mirrored image"),
  pool: z.int().positive().default(100_000).describe("random styles among which the first ones are chosen"),
  truncation: z.number().min(0).max(1).default(0.7).describe("ψ of the random styles"),
  styles: z.enum(["w", "w+"]).default("w").describe("w: one style for all layers; w+: one for each layer"),
  ...pSpaceSettings,
  ...alignSettings,
  batch: z.int().positive().default(8).describe("styles optimised side by side"),
  ...patienceSetting,
  ...finalSelectionSettings,
});

/** Shares of the iterations in which the rate rises and falls (StyleGAN's projector). */
const RAMPS = { up: 0.05, down: 0.25 } as const;

/**
 * MIRROR, white-box: for each identity the random styles that the target is surest of, then Adam on its cross-entropy, every style being
 * held where random ones lie. That is measured in P-space, before the mapping network's last leaky ReLU, where they are nearly normal
 * (section IV-B). Dropout of styles is left out.
 */
export const mirror = defineAttack({
  kind: "mirror",
  summary: "Adam on styles of a StyleGAN2 that are held within the spread of random ones",
  paper: "An et al., MIRROR: Model Inversion for Deep Learning Network with High Fidelity, NDSS 2022",
  access: "white-box",
  prior: "stylegan",
  config,
  quick: { iterations: 60, identityLoss: "max-margin", pool: 1000, samples: 2000, batch: 20 },
  space: ({ styles, truncation }) => ({ styles, truncation }),
  least: leastCandidates,
  async run(attacked) {
    const { target, space, identities, perIdentity, config: c, seed } = attacked;
    const candidates = candidatesFor("mirror", c.candidates, perIdentity);
    const first = await selectInitial({ target, space, identities, perIdentity: candidates, pool: c.pool, seed });
    const bounds = styleBounds(await space.draw(c.samples, seed, "spread"), space.width, c.deviations);
    return searchStyles(attacked, {
      name: "mirror",
      first,
      view: { crop: 1, flip: c.flip },
      plan: { name: "optimizer", optimizer: adam(), rate: rampedRate(c.rate, c.iterations, RAMPS) },
      weight: c.identityWeight,
      held: (styles) => heldInPSpace(styles, bounds),
    });
  },
});
