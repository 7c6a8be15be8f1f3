import type { Condition } from "../report/conditions.ts";
import type { FisherRecord } from "../study/fisher.ts";
import type { CellResult, Curve, Measured } from "../study/result.ts";
import type { RunStatus } from "../study/run-record.ts";

// What the page and the server say to each other: types alone, so that the page's bundle holds nothing of the server.

/** How a run stands; LOST: its record says RUNNING, but nobody has renewed its heartbeat for minutes. */
export type RunState = RunStatus | "LOST";

/** A run as lists show it. */
export interface RunRow {
  /** Name of the study's folder, or `study/cell`. */
  readonly id: string;
  readonly kind: "study" | "cell";
  readonly name: string;
  readonly state: RunState;
  /** ISO 8601; empty where it was not begun. */
  readonly started: string;
  readonly ended?: string;
  readonly attempts: number;
  readonly seed?: number;
  /** Why it failed. */
  readonly error?: string;
}

/** `GET /api/runs?q=&state=&kind=&from=`: newest first. */
export interface RunList {
  /** Runs in the folder, whatever was asked for. */
  readonly total: number;
  /** Runs that fit the question; `rows` holds some of them, from the `from`-th on. */
  readonly matched: number;
  readonly rows: readonly RunRow[];
}

/** Whether and how a study can be started or stopped from here. */
export interface Control {
  readonly canStart: boolean;
  readonly canStop: boolean;
  /** Why not, where neither can be done; what starting does, where the study is over and some of its cells failed. */
  readonly why?: string;
  /** The last lines of a run that this server started. */
  readonly log: readonly string[];
}

/** A cell of a study's grid. */
export interface GridCell {
  readonly cell: string;
  readonly defense: string;
  readonly attack: string;
  readonly seed: number;
  readonly state: "waiting" | "running" | "done" | "failed" | "stopped";
  readonly message?: string;
  /** Whether it has a folder to look into. */
  readonly found: boolean;
  readonly naturalAccuracy?: Measured;
  readonly attackAccuracy?: Measured;
}

/** `GET /api/runs/:study` */
export interface StudyView {
  readonly row: RunRow;
  readonly control: Control;
  /** Empty until the study is planned. */
  readonly grid: readonly GridCell[];
  readonly notes: readonly string[];
  /** Of a finished study. */
  readonly curves: readonly Curve[];
}

/** An identity of a cell with its reconstructions. */
export interface IdentityImages {
  readonly label: number;
  readonly identity: string;
  /** Share of its reconstructions that the evaluation model recognises. */
  readonly attackAccuracy: number;
  /** Paths of images on this server. */
  readonly images: readonly string[];
  /** Path of one private image; there only where the run keeps it, served only where this session asked for it. */
  readonly reference?: string;
}

/** `GET /api/runs/:study/cells/:cell` */
export interface CellView {
  readonly row: RunRow;
  readonly result?: Omit<CellResult, "identities">;
  readonly identities: readonly IdentityImages[];
  readonly fisher?: FisherRecord;
}

/** A cell in a comparison: where it belongs among the conditions, and its pictures. */
export interface ComparedCell {
  /** `study/cell` */
  readonly id: string;
  readonly seed: number;
  readonly identities: readonly IdentityImages[];
  readonly fisher?: FisherRecord;
}

/** A point of the utility–leakage plot, with the cells behind it. */
export interface ComparedCondition {
  readonly study: string;
  readonly condition: Condition;
  readonly cells: readonly ComparedCell[];
}

/** `GET /api/compare?runs=a,b` */
export interface ComparisonView {
  readonly conditions: readonly ComparedCondition[];
  /** Why numbers of these runs should not stand side by side. */
  readonly warnings: readonly string[];
}

/** One thing that is wrong with a study file. `path` leads to the field: `["attacks", 0, "iterations"]`. */
export interface Fault {
  readonly path: readonly (string | number)[];
  readonly line?: number;
  readonly message: string;
}

/** A step that a study would do. */
export interface PlannedWork {
  readonly id: string;
  readonly name: string;
  readonly state: "done" | "shipped" | "resumes" | "to do";
}

/** `POST /api/studies/check` `{ yaml }`; with `plan: true` the data are read and the steps listed. */
export interface StudyCheck {
  readonly faults: readonly Fault[];
  readonly steps?: readonly PlannedWork[];
}

/** A step with what is left of it to do. */
export interface EstimatedWork extends PlannedWork {
  /** Wall time in seconds, and images that go through the target; absent where nothing is to do, or where it is not known. */
  readonly cost?: { readonly seconds: number; readonly queries?: number };
  /** Where the cost comes from, or why it is not known. */
  readonly basis?: "finished" | "rehearsed" | { readonly unknown: string };
}

/** `POST /api/studies/estimate` `{ yaml }`: what the study's steps take on this machine. Ended when the one who asks leaves. */
export interface StudyEstimate {
  readonly faults: readonly Fault[];
  /** There where nothing is wrong. */
  readonly steps?: readonly EstimatedWork[];
}

/** `POST /api/studies` `{ yaml, start }`: the file that was written, and the study's folder. */
export interface SavedStudy {
  readonly file: string;
  readonly id: string;
}

/** `GET /api/session`, `POST /api/session` `{ showPrivate }` */
export interface SessionView {
  /** Whether this session asked for private images. */
  readonly showPrivate: boolean;
}

/** An answer that is none. */
export interface ErrorBody {
  readonly error: string;
  readonly faults?: readonly Fault[];
}

/** How far the step at hand is, as the page's stream tells it. */
export interface StepAt {
  readonly step: string;
  readonly id: string;
  readonly state: "running" | "done" | "failed" | "stopped";
  readonly done?: number;
  readonly total?: number;
  readonly unit?: string;
  /** Milliseconds since 1970 when it was written. */
  readonly time: number;
  readonly metrics?: Readonly<Record<string, number>>;
  /** `run`, `store` or `shipped`, where it is done. */
  readonly source?: string;
  readonly seconds?: number;
  readonly message?: string;
}

/** Pictures of the attack at hand. */
export interface PreviewAt {
  readonly step: string;
  /** Paths on this server, new for each frame. */
  readonly first: string;
  readonly latest: string;
  readonly frame: number;
  readonly labels: readonly number[];
  readonly size: readonly [number, number];
}

/** Server-sent events of `GET /api/runs/:study/events`, by their names. */
export interface StreamEvents {
  /** A step began, went on or ended. */
  readonly step: StepAt;
  /** A study (re)started: steps in all. */
  readonly plan: { readonly steps: number };
  readonly warning: { readonly message: string };
  readonly preview: PreviewAt;
  /** The view has changed: the record, a cell. */
  readonly view: StudyView;
}
