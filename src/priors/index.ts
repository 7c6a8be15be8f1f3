import { dcgan } from "./dcgan.ts";
import { kedmi } from "./kedmi.ts";
import { plg } from "./plg.ts";
import { stylegan } from "./stylegan.ts";
import { tacgan } from "./tacgan.ts";

/** Every kind of prior. */
export const priors = [dcgan, kedmi, plg, stylegan, tacgan] as const;
