/** Studies over many machines: the grid, its workers, and scripts for schedulers. */
export * from "../cluster/grid.ts";
export * from "../cluster/schedulers.ts";
export * from "../cluster/side-by-side.ts";
export * from "../cluster/worker.ts";
