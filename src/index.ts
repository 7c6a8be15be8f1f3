/** The public API in one place: running studies, reading what they found, and the lists with what adds to them. */
export { defineAttack } from "./attacks/attack.ts";
export { attacks } from "./attacks/index.ts";
export { defineData } from "./data/data.ts";
export { dataSources } from "./data/index.ts";
export { defineDefense } from "./defenses/defense.ts";
export { defenses } from "./defenses/index.ts";
export { UserError } from "./engine/errors.ts";
export { setDevice, setThreads } from "./engine/runtime.ts";
export { metrics } from "./metrics/index.ts";
export { defineMetric } from "./metrics/metric.ts";
export { models } from "./models/index.ts";
export { defineModel } from "./models/model.ts";
export { priors } from "./priors/index.ts";
export { definePrior } from "./priors/prior.ts";
export { type ReportOptions, type Summary, summarize, writeReport } from "./report/index.ts";
export type { EventSink, StudyEvent } from "./study/events.ts";
export { type ExportFormat, exportRun } from "./study/export.ts";
export type { GateCheck, GateOutcome, GateResult, GateSettings } from "./study/gate.ts";
export { Interrupted } from "./study/interrupted.ts";
export { planStudy, type RunStudyOptions, runStudy, STUDY_FILE, type StepPlan } from "./study/pipeline.ts";
export { loadData, type ReadStudy, readStudy } from "./study/read-study.ts";
export type {
  AttributeRecovery,
  CellResult,
  Curve,
  FailedCell,
  IdentityResult,
  JudgeResult,
  JudgesResult,
  Measured,
  StudyResult,
} from "./study/result.ts";
export { type Study, StudySchema } from "./study/study-schema.ts";
