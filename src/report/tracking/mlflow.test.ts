import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { cell, study } from "../../../test/support/study-result.ts";
import type { StudyEvent } from "../../study/events.ts";
import { mlflowTracker } from "./mlflow.ts";

interface Request {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A tracking server that knows the experiment `known` and answers in MLflow's forms. */
async function mlflowServer(known?: string) {
  const requests: Request[] = [];
  let runs = 0;
  const server = createServer(async (request, response) => {
    const url = new URL(request.url!, "http://mlflow");
    const text = Buffer.concat(await request.toArray()).toString();
    const path = url.pathname.replace("/prefix/api/2.0/mlflow/", "");
    requests.push({
      path,
      headers: request.headers,
      body: text === "" ? Object.fromEntries(url.searchParams) : JSON.parse(text),
    });
    const answer = (status: number, body: object) => response.writeHead(status).end(JSON.stringify(body));
    if (path === "experiments/get-by-name") {
      if (url.searchParams.get("experiment_name") === known) answer(200, { experiment: { experiment_id: "7" } });
      else answer(404, { error_code: "RESOURCE_DOES_NOT_EXIST", message: "no such experiment" });
    } else if (path === "experiments/create") answer(200, { experiment_id: "8" });
    else if (path === "runs/create") answer(200, { run: { info: { run_id: `run-${runs++}` } } });
    else if (path === "runs/log-batch" || path === "runs/update") answer(200, {});
    else answer(404, { error_code: "ENDPOINT_NOT_FOUND", message: path });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix`, requests };
}

const started: StudyEvent = { type: "study-started", study: "faces", cells: 1, steps: 1 };
const progress: StudyEvent = {
  type: "step-progress",
  step: "target tl-dmi, seed 1",
  id: "target-0",
  ...{ done: 3, total: 9, unit: "epochs", metrics: { loss: 0.5, score: Number.NaN } },
};

test("a study is an experiment, its start a run with losses, its cells nested runs with settings and numbers", async () => {
  const { url, requests } = await mlflowServer();
  const warnings: StudyEvent[] = [];
  const tracker = mlflowTracker({
    url: `${url}/`,
    env: { MLFLOW_TRACKING_TOKEN: "t" },
    warn: (event) => warnings.push(event),
  });
  tracker.events(started);
  tracker.events(progress);
  const one = cell({ run: "cells/tl-dmi-gmi-seed1" });
  await tracker.result(study([one]), "/nowhere");
  await tracker.end("interrupted");
  expect(warnings).toEqual([]);
  expect(new Set(requests.map(({ headers }) => headers.authorization))).toEqual(new Set(["Bearer t"]));
  expect(requests.map(({ path, body }) => [path, body])).toMatchObject([
    ["experiments/get-by-name", { experiment_name: "faces" }],
    ["experiments/create", { name: "faces" }],
    ["runs/create", { experiment_id: "8", run_name: "faces", tags: [] }],
    ["runs/log-batch", { run_id: "run-0", metrics: [{ key: "target tl-dmi seed 1/loss", value: 0.5, step: 3 }] }],
    [
      "runs/create",
      { experiment_id: "8", run_name: "tl-dmi-gmi-seed1", tags: [{ key: "mlflow.parentRunId", value: "run-0" }] },
    ],
    ["runs/log-batch", { run_id: "run-1" }],
    ["runs/update", { run_id: "run-1", status: "FINISHED" }],
    ["runs/update", { run_id: "run-0", status: "KILLED" }],
  ]);
  const { metrics, params } = requests[5]!.body as { metrics: object[]; params: object[] };
  expect(metrics).toContainEqual(expect.objectContaining({ key: "attack.top1", value: one.attackAccuracy.value }));
  expect(params).toContainEqual({ key: "defense", value: one.defense });
});

test("an experiment that is there is used", async () => {
  const { url, requests } = await mlflowServer("faces");
  const tracker = mlflowTracker({ url, env: {}, warn: () => {} });
  tracker.events(started);
  await tracker.end("done");
  expect(requests.map(({ path, body }) => [path, body])).toMatchObject([
    ["experiments/get-by-name", {}],
    ["runs/create", { experiment_id: "7" }],
    ["runs/update", { status: "FINISHED" }],
  ]);
});

test.each<[string, () => Promise<string>, RegExp]>([
  [
    "cannot be reached",
    async () => "http://127.0.0.1:1",
    /^--mlflow http:\/\/127.0.0.1:1: .+; the run goes on without it$/,
  ],
  [
    "is another",
    async () => (await mlflowServer()).url.replace("prefix", "else"),
    /: the server answers 404 ENDPOINT_NOT_FOUND/,
  ],
])("a server that %s is told once, and the study goes on", async (_, url, message) => {
  const warnings: StudyEvent[] = [];
  const tracker = mlflowTracker({ url: await url(), env: {}, warn: (event) => warnings.push(event) });
  tracker.events(started);
  tracker.events(progress);
  await tracker.result(study([cell()]), "/nowhere");
  await tracker.end("done");
  expect(warnings).toEqual([{ type: "warning", message: expect.stringMatching(message) }]);
});

test.each(["mlflow:5000", "file:///tmp", "http://user:secret@h"])("%s is no address", (url) => {
  expect(() => mlflowTracker({ url, env: {}, warn: () => {} })).toThrow("--mlflow: expected an address");
});
