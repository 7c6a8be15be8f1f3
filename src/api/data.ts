/** Data: the list of sources, what a source hands over, and sets made of sets. */
export * from "../data/augment.ts";
export * from "../data/data.ts";
export * from "../data/dataset.ts";
export * from "../data/index.ts";
export * from "../data/loader.ts";
export * from "../data/memory-set.ts";
export * from "../data/split.ts";
export * from "../data/subset.ts";
