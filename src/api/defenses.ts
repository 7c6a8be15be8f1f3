/** Defenses: the list, what a defense is, where a model is cut, and the training of targets. */
export * from "../defenses/boundary.ts";
export * from "../defenses/compose.ts";
export * from "../defenses/defense.ts";
export * from "../defenses/dp-sgd.ts";
export * from "../defenses/index.ts";
export * from "../defenses/rdp.ts";
export * from "../defenses/train-target.ts";
