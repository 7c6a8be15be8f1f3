/** Attacks: the list, what an attack is, and the parts that attacks share. */
export * from "../attacks/access.ts";
export * from "../attacks/attack.ts";
export * from "../attacks/index.ts";
export * from "../attacks/label-surrogates.ts";
export * from "../attacks/least.ts";
export * from "../attacks/queries.ts";
export * from "../attacks/run-attack.ts";
export * from "../attacks/score-map.ts";
export * from "../attacks/search.ts";
export * from "../attacks/selection.ts";
export * from "../attacks/space.ts";
export * from "../attacks/trail.ts";
