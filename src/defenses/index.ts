import { none } from "./none.ts";
import { tlDmi } from "./tl-dmi.ts";

/** Every defense. */
export const defenses = [none, tlDmi] as const;
