import { dcgan } from "./dcgan.ts";
import { kedmi } from "./kedmi.ts";
import { plg } from "./plg.ts";

/** Every kind of prior. */
export const priors = [dcgan, kedmi, plg] as const;
