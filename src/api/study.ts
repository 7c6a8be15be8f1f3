/** Studies: reading, planning and running study files, their results, and export of what they trained. */
export * from "../study/estimate.ts";
export * from "../study/events.ts";
export * from "../study/export.ts";
export * from "../study/fisher.ts";
export * from "../study/frontier.ts";
export * from "../study/gate.ts";
export * from "../study/interrupted.ts";
export * from "../study/named-metrics.ts";
export * from "../study/pipeline.ts";
export * from "../study/read-study.ts";
export * from "../study/result.ts";
export * from "../study/schema.ts";
export * from "../study/shard.ts";
export * from "../study/study-schema.ts";
export * from "../study/verify.ts";
