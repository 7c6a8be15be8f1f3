/** Fisher information: of images, of a classification task, and the boundary that two tasks recommend. */
export * from "../fisher/boundary.ts";
export * from "../fisher/classification.ts";
export * from "../fisher/fisher.ts";
