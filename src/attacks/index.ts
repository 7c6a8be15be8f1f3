import { gmi } from "./gmi.ts";
import { kedmi } from "./kedmi.ts";

/** Every attack. */
export const attacks = [gmi, kedmi] as const;
