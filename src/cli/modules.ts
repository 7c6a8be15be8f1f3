import type { z } from "zod";

/** A member of one of the lists, as `tldmi ls` shows it. */
export interface Listed {
  readonly kind: string;
  readonly summary: string;
  readonly config?: z.ZodObject;
  /** The keys of `preset: quick`. */
  readonly quick?: object;
}

/** What `tldmi ls` can list. */
export const LISTS = ["attacks", "defenses", "models", "datasets", "metrics", "priors"] as const;
export type ListName = (typeof LISTS)[number];

type Pipeline = typeof import("../study/pipeline.ts");
type Estimator = typeof import("../study/estimate.ts");
type Exporter = typeof import("../study/export.ts");
type Tracking = typeof import("../report/tracking/index.ts");
type Fisher = typeof import("../study/fisher.ts");
type Frontier = typeof import("../study/frontier.ts");
type Report = typeof import("../report/index.ts");
type UserStudy = typeof import("../report/user-study/index.ts");
type Gate = typeof import("../report/gate/index.ts");
type Decide = typeof import("../report/decide.ts");
type Audit = typeof import("../study/audit/index.ts");
type AuditReport = typeof import("../report/audit/index.ts");
type Verify = typeof import("../study/verify.ts");
type Server = typeof import("../server/index.ts");
type Shard = typeof import("../study/shard.ts");
type Grid = typeof import("../cluster/grid.ts");
type SideBySide = typeof import("../cluster/side-by-side.ts");
type Worker = typeof import("../cluster/worker.ts");
type Schedulers = typeof import("../cluster/schedulers.ts");
type Runtime = typeof import("../engine/runtime.ts");

/**
 * The parts of the program that take long to load, each loaded by the command that needs it: `tldmi --help` and a mistyped
 * option must not wait for the runtime.
 */
export interface Modules {
  pipeline(): Promise<Pick<Pipeline, "runStudy" | "planStudy">>;
  estimator(): Promise<Pick<Estimator, "estimateStudy">>;
  exporter(): Promise<Pick<Exporter, "exportRun">>;
  tracking(): Promise<Pick<Tracking, "openTracking">>;
  fisher(): Promise<Pick<Fisher, "fisherOfRun">>;
  frontier(): Promise<Pick<Frontier, "frontierOfStudy">>;
  report(): Promise<Pick<Report, "writeReport" | "writeFisherChart" | "writeFrontierChart">>;
  gate(): Promise<Pick<Gate, "gateOfRun" | "gateJunit" | "gateMarkdown">>;
  decide(): Promise<Pick<Decide, "compareRuns" | "explainRun" | "readRun">>;
  audit(): Promise<Pick<Audit, "runAudit" | "runDefend" | "plainName">>;
  auditReport(): Promise<Pick<AuditReport, "auditVerdict" | "writeAuditResult" | "writeModelCard">>;
  verify(): Promise<Pick<Verify, "verifyRun">>;
  userStudy(): Promise<Pick<UserStudy, "makeUserStudy" | "scoreUserStudy">>;
  server(): Promise<Pick<Server, "serve">>;
  shard(): Promise<Pick<Shard, "runShard">>;
  grid(): Promise<Pick<Grid, "runGrid">>;
  sideBySide(): Promise<Pick<SideBySide, "runSideBySide">>;
  worker(): Promise<Pick<Worker, "runWorker">>;
  schedulers(): Promise<Pick<Schedulers, "slurmScript" | "kubernetesManifest">>;
  runtime(): Promise<Pick<Runtime, "runtimeInfo" | "deviceStates" | "setDevice">>;
  list(name: ListName): Promise<readonly Listed[]>;
}

const lists: Readonly<Record<ListName, () => Promise<readonly Listed[]>>> = {
  attacks: async () => (await import("../attacks/index.ts")).attacks,
  defenses: async () => (await import("../defenses/index.ts")).defenses,
  models: async () => (await import("../models/index.ts")).models,
  datasets: async () => (await import("../data/index.ts")).dataSources,
  metrics: async () => (await import("../metrics/index.ts")).metrics,
  priors: async () => (await import("../priors/index.ts")).priors,
};

/** The real ones. */
export const modules: Modules = {
  pipeline: () => import("../study/pipeline.ts"),
  estimator: () => import("../study/estimate.ts"),
  exporter: () => import("../study/export.ts"),
  tracking: () => import("../report/tracking/index.ts"),
  fisher: () => import("../study/fisher.ts"),
  frontier: () => import("../study/frontier.ts"),
  report: () => import("../report/index.ts"),
  gate: () => import("../report/gate/index.ts"),
  decide: () => import("../report/decide.ts"),
  audit: () => import("../study/audit/index.ts"),
  auditReport: () => import("../report/audit/index.ts"),
  verify: () => import("../study/verify.ts"),
  userStudy: () => import("../report/user-study/index.ts"),
  server: () => import("../server/index.ts"),
  shard: () => import("../study/shard.ts"),
  grid: () => import("../cluster/grid.ts"),
  sideBySide: () => import("../cluster/side-by-side.ts"),
  worker: () => import("../cluster/worker.ts"),
  schedulers: () => import("../cluster/schedulers.ts"),
  runtime: () => import("../engine/runtime.ts"),
  list: (name) => lists[name](),
};
