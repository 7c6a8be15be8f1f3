import { dcgan } from "./dcgan.ts";
import { kedmi } from "./kedmi.ts";

/** Every kind of prior. */
export const priors = [dcgan, kedmi] as const;
