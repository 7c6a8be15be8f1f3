/** Priors: the list, what a prior is, and how each is trained. */
export * from "../priors/index.ts";
export * from "../priors/prior.ts";
export * from "../priors/synthesize.ts";
export * from "../priors/train-kedmi.ts";
export * from "../priors/train-plg.ts";
export * from "../priors/train-stylegan.ts";
export * from "../priors/train-tacgan.ts";
export * from "../priors/train-wgan-gp.ts";
