import { labelSmoothing } from "./label-smoothing.ts";
import { none } from "./none.ts";
import { tlDmi } from "./tl-dmi.ts";

/** Every defense. */
export const defenses = [none, tlDmi, labelSmoothing] as const;
