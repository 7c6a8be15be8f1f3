import { z } from "zod";
import { constantRate } from "../engine/schedule.ts";
import { alignSettings } from "./align.ts";
import { defineAttack } from "./attack.ts";
import { candidatesFor, finalSelectionSettings, leastCandidates, mirroringSetting } from "./final-selection.ts";
import { forgetfulAdam, forgetfulAdamSettings } from "./forgetful-adam.ts";
import { patienceSetting } from "./search.ts";
import { selectInitial } from "./selection.ts";
import { searchStyles } from "./style-search.ts";

const config = z.strictObject({
  iterations: z.int().positive().default(50).describe("50 for FaceScrub, 70 for CelebA, 100 for dogs"),
  ...forgetfulAdamSettings,
  styles: z.enum(["w", "w+"]).default("w").describe("w: one style for all layers; w+: one for each layer"),
  crop: z.number().gt(0).max(1).default(0.9).describe("least share of the image's area in a view; 0.75 for dogs"),
  ...alignSettings,
  batch: z.int().positive().default(20).describe("candidates optimised side by side"),
  ...patienceSetting,
  candidates: finalSelectionSettings.candidates
    .unwrap()
    .default(200)
    .describe(
      "styles found for each identity, of which those are kept that the target recognises best over random views",
    ),
  views: finalSelectionSettings.views.unwrap().default(100).describe("random views of each candidate"),
  ...mirroringSetting,
});

/**
 * PPA: in a StyleGAN2 that knows nothing of the target, for each identity the random styles whose images the target takes for it, mirrored
 * or not; then Adam on the Poincaré loss of a random crop of each; of what it ends with, what the target recognises from many views
 * (sections 3.2 to 3.4).
 */
export const ppa = defineAttack({
  kind: "ppa",
  summary: "Adam on styles of a StyleGAN2, between a first selection of candidates and a last one",
  paper: "Struppek et al., Plug & Play Attacks: Towards Robust and Flexible Model Inversion Attacks, ICML 2022",
  access: "white-box",
  prior: "stylegan",
  config,
  quick: { iterations: 50, rate: 0.03, pool: 1000, truncation: 0.7, candidates: 10, views: 20 },
  space: ({ styles, truncation }) => ({ styles, truncation }),
  least: leastCandidates,
  async run(attacked) {
    const { target, space, identities, perIdentity, config: c, seed } = attacked;
    const candidates = candidatesFor("ppa", c.candidates, perIdentity);
    const pooled = { target, space, identities, perIdentity: candidates, pool: c.pool, seed };
    return searchStyles(attacked, {
      name: "ppa",
      first: await selectInitial({ ...pooled, mirrored: c.flip !== 0 }),
      view: { crop: c.crop, flip: 0 },
      plan: { name: "optimizer", optimizer: forgetfulAdam, rate: constantRate(c.rate) },
    });
  },
});
