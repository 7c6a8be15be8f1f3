/** Metrics: the list, what a metric is, intervals, and attribute recovery. */
export * from "../metrics/attribute-recovery.ts";
export * from "../metrics/index.ts";
export * from "../metrics/interval.ts";
export * from "../metrics/measured.ts";
export * from "../metrics/metric.ts";
