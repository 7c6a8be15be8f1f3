import { UserError } from "../../engine/errors.ts";
import { type EventSink, type StudyEvent, throttleProgress } from "../../study/events.ts";
import { httpAddress } from "../../study/http-address.ts";
import type { CellResult } from "../../study/result.ts";
import { cellFolder, cellNumbers } from "./cell-numbers.ts";
import type { TrackedState, Tracker } from "./tracker.ts";

/** Milliseconds in which the server must answer a request. */
const PATIENCE = 10_000;
/** Metrics that one request may hold, by MLflow's REST reference. */
const MOST_METRICS = 1000;
/** Milliseconds between two rows of losses of one step. */
const EVERY = 5000;

const STATES: Readonly<Record<TrackedState, string>> = { done: "FINISHED", failed: "FAILED", interrupted: "KILLED" };

interface Metric {
  readonly key: string;
  readonly value: number;
  readonly timestamp: number;
  readonly step: number;
}

export interface MlflowOptions {
  /** Address of the tracking server. */
  readonly url: string;
  /** Holds MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, where the server asks for them. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told once, where the server cannot be reached or refuses. */
  readonly warn: EventSink;
}

/**
 * Logs to an MLflow tracking server by its REST API (version 2.0): the study is an experiment, each start of it a run with the losses of its
 * steps, each finished cell a run nested in that, with its settings and numbers. No images and no weights are sent.
 * @throws UserError for an address that is none.
 */
export function mlflowTracker({ url, env, warn }: MlflowOptions): Tracker {
  const base = apiOf(url);
  const headers = { "content-type": "application/json", ...authorization(env) };
  let broken = false;
  let queue: Promise<unknown> = Promise.resolve();
  let experiment = "";
  let parent = "";

  async function call<T>(method: "GET" | "POST", path: string, body: Readonly<Record<string, unknown>>): Promise<T> {
    const query = method === "GET" ? `?${new URLSearchParams(body as Record<string, string>)}` : "";
    const response = await fetch(`${base}/${path}${query}`, {
      method,
      headers,
      ...(method === "POST" && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(PATIENCE),
    });
    const text = await response.text();
    if (!response.ok) throw new Refused(response.status, text);
    return JSON.parse(text) as T;
  }

  /** Does requests one after the other; after the first that fails, none. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    const done = queue.then(async () => {
      if (broken) return;
      try {
        await work();
      } catch (error) {
        broken = true;
        warn({ type: "warning", message: `--mlflow ${url}: ${reasonOf(error)}; the run goes on without it` });
      }
    });
    queue = done;
    return done;
  }

  async function begin(study: string): Promise<void> {
    experiment = await experimentId(study);
    parent = await createRun(study, []);
  }

  async function experimentId(name: string): Promise<string> {
    try {
      const found = await call<{ experiment: { experiment_id: string } }>("GET", "experiments/get-by-name", {
        experiment_name: name,
      });
      return found.experiment.experiment_id;
    } catch (error) {
      if (!(error instanceof Refused && error.status === 404 && error.code === "RESOURCE_DOES_NOT_EXIST")) throw error;
    }
    return (await call<{ experiment_id: string }>("POST", "experiments/create", { name })).experiment_id;
  }

  async function createRun(name: string, tags: readonly { key: string; value: string }[]): Promise<string> {
    const body = { experiment_id: experiment, run_name: name, start_time: Date.now(), tags };
    return (await call<{ run: { info: { run_id: string } } }>("POST", "runs/create", body)).run.info.run_id;
  }

  async function log(run: string, metrics: readonly Metric[], params: Readonly<Record<string, unknown>> = {}) {
    const pairs = Object.entries(params).map(([key, value]) => ({ key, value: String(value) }));
    for (let from = 0; from === 0 || from < metrics.length; from += MOST_METRICS) {
      const some = metrics.slice(from, from + MOST_METRICS);
      await call("POST", "runs/log-batch", { run_id: run, metrics: some, params: from === 0 ? pairs : [] });
    }
  }

  const finish = (run: string, state: TrackedState) =>
    call("POST", "runs/update", { run_id: run, status: STATES[state], end_time: Date.now() });

  async function logCell(cell: CellResult): Promise<void> {
    const run = await createRun(cellFolder(cell), [{ key: "mlflow.parentRunId", value: parent }]);
    const { defense, attack, seed, model, boundary, trainableParameters, defenseLabel, attackLabel } = cell;
    const labels = { ...(defenseLabel && { defenseLabel }), ...(attackLabel && { attackLabel }) };
    const params = { defense, attack, ...labels, seed, model, boundary: boundary ?? "none", trainableParameters };
    const metrics = cellNumbers(cell).map(([key, value]) => ({ key, value, timestamp: Date.now(), step: 0 }));
    await log(run, metrics, params);
    await finish(run, "done");
  }

  return {
    events: throttleProgress((event: StudyEvent) => {
      if (event.type === "study-started" && parent === "") void inTurn(() => begin(event.study));
      if (event.type !== "step-progress" || event.metrics === undefined) return;
      const { step, done, metrics } = event;
      const timestamp = Date.now();
      const rows = Object.entries(metrics)
        .filter(([, value]) => Number.isFinite(value))
        .map(([key, value]) => ({ key: asKey(`${step}/${key}`), value, timestamp, step: done }));
      if (rows.length > 0) void inTurn(() => log(parent, rows));
    }, EVERY),
    async result({ cells }) {
      for (const cell of cells) await inTurn(() => logCell(cell));
    },
    end: (state) => inTurn(async () => void (parent !== "" && (await finish(parent, state)))),
  };
}

/** An answer that is none. */
class Refused extends Error {
  readonly status: number;
  /** MLflow's name for it. */
  readonly code: string;
  constructor(status: number, text: string) {
    const { error_code: code = "", message = "" } = parsed(text);
    super(`the server answers ${[status, code, message].filter((part) => part !== "").join(" ")}`);
    this.status = status;
    this.code = code;
  }
}

function parsed(text: string): { readonly error_code?: string; readonly message?: string } {
  try {
    return (JSON.parse(text) ?? {}) as { error_code?: string; message?: string };
  } catch {
    return {};
  }
}

function apiOf(text: string): string {
  const url = httpAddress(text);
  if (url === undefined) {
    throw new UserError(
      "--mlflow: expected an address such as https://mlflow.example:5000; user and password go into MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
    );
  }
  return `${url.href.replace(/\/+$/, "")}/api/2.0/mlflow`;
}

function authorization(env: MlflowOptions["env"]): Readonly<Record<string, string>> {
  const { MLFLOW_TRACKING_TOKEN: token, MLFLOW_TRACKING_USERNAME: user, MLFLOW_TRACKING_PASSWORD: password } = env;
  if (token !== undefined) return { authorization: `Bearer ${token}` };
  if (user === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${user}:${password ?? ""}`).toString("base64")}` };
}

/** A key as every version of MLflow takes it. */
function asKey(text: string): string {
  return text.replaceAll(/[^\w ./-]+/g, "").slice(0, 250);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${PATIENCE / 1000} seconds`;
  const { cause } = error;
  // fetch says "fetch failed" of whatever happened; its cause says what.
  return cause instanceof Error ? cause.message || ("code" in cause ? String(cause.code) : cause.name) : error.message;
}
