export { type ComparedCells, compareRuns, type MetricDifference, type RunComparison } from "./compare.ts";
export { type Explanation, explainRun } from "./explain.ts";
export { type FinishedRun, readRun } from "./read-run.ts";
