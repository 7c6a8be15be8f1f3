export { compareRuns } from "./compare.ts";
export { explainRun } from "./explain.ts";
export { readRun } from "./read-run.ts";
