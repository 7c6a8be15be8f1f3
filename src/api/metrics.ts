/** Metrics: the list, what a metric is, intervals, judges, and what is computed of several cells together. */
export * from "../metrics/agreement.ts";
export * from "../metrics/attribute-recovery.ts";
export * from "../metrics/frechet-distance.ts";
export * from "../metrics/http-judge.ts";
export * from "../metrics/index.ts";
export * from "../metrics/interval.ts";
export * from "../metrics/measured.ts";
export * from "../metrics/metric.ts";
export * from "../metrics/perceptual-embedding.ts";
export * from "../metrics/preference.ts";
export * from "../metrics/trade-off.ts";
