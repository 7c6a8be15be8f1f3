import { z } from "zod";
import { constantRate } from "../engine/schedule.ts";
import { stylesOf } from "../priors/synthesize.ts";
import { defineAttack } from "./attack.ts";
import { searchFeatures } from "./feature-search.ts";
import {
  candidatesFor,
  finalSelectionSettings,
  leastCandidates,
  mirroringSetting,
  selectFinal,
} from "./final-selection.ts";
import { forgetfulAdam, forgetfulAdamSettings } from "./forgetful-adam.ts";
import { selectInitial } from "./selection.ts";
import { pixelSpace } from "./space.ts";

const config = z.strictObject({
  iterations: z
    .int()
    .positive()
    .default(50)
    .describe("steps on styles alone: 50 for FaceScrub, 70 for CelebA, 100 for dogs"),
  featureIterations: z
    .int()
    .positive()
    .default(10)
    .describe("steps on styles and features before each later block of the generator: 10 for FaceScrub, 25 for CelebA"),
  radii: z
    .array(z.number().positive())
    .nonempty()
    .default([1000, 2000, 3000, 4000, 5000, 6000, 8000, 8000])
    .describe(
      "radius of the L1 ball around where a stage begins, in which its styles and its features move: the first number for styles alone, then one for each later block that is searched before; numbers past the last block are passed over",
    ),
  ...forgetfulAdamSettings,
  crop: z.number().gt(0).max(1).default(0.9).describe("least share of the image's area in a view"),
  batch: z.int().positive().default(20).describe("candidates optimised side by side"),
  ...finalSelectionSettings,
  ...mirroringSetting,
});

/**
 * IF-GMI: PPA's first candidates and loss in a StyleGAN2, but after the styles the features before each later block of the generator are
 * optimised too, block by block, each within an L1 ball around what the stage before left (section 3.3, algorithm 1). The images of the
 * last stage are the reconstructions. The released code drops the images of earlier blocks that StyleGAN2 adds up, and reports the stage
 * that the evaluation model likes best; here they are kept as the stage before left them, and no evaluation model is asked.
 */
export const ifGmi = defineAttack({
  kind: "if-gmi",
  summary: "Adam on styles of a StyleGAN2, then on the features between its blocks, one block after the other",
  paper:
    "Qiu et al., A Closer Look at GAN Priors: Exploiting Intermediate Features for Enhanced Model Inversion Attacks, ECCV 2024",
  access: "white-box",
  prior: "stylegan",
  outcome: "images",
  config,
  quick: {
    iterations: 25,
    featureIterations: 10,
    radii: [1000, 100, 200, 300, 400],
    rate: 0.02,
    pool: 500,
    truncation: 0.7,
    batch: 20,
  },
  space: ({ truncation }) => ({ styles: "w", truncation }),
  least: leastCandidates,
  async run(attacked) {
    const { target, prior, space, identities, perIdentity, config: c, seed, work } = attacked;
    const candidates = candidatesFor("if-gmi", c.candidates, perIdentity);
    const pooled = { target, space, identities, perIdentity: candidates, pool: c.pool, seed };
    const { blocks } = stylesOf(prior.networks).parts;
    const images = await searchFeatures(attacked, {
      name: "if-gmi",
      first: await selectInitial({ ...pooled, mirrored: c.flip !== 0 }),
      radii: c.radii.slice(0, blocks.length),
      optimizer: { optimizer: forgetfulAdam, rate: constantRate(c.rate) },
    });
    const found = { target, space: pixelSpace(target.image), identities, rows: images, perIdentity };
    return selectFinal({ ...found, views: c.views, flip: c.flip, seed, signal: work.signal });
  },
});
