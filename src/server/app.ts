import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { PREVIEW_FILES } from "../study/steps/preview.ts";
import type { SessionView } from "./api.ts";
import { cellView, IMAGES, PRIVATE } from "./cell-view.ts";
import { comparisonView } from "./comparison-view.ts";
import type { Confined } from "./confined.ts";
import { openEventLogs } from "./event-log.ts";
import { type GuardOptions, guards, keepSession, refuse, sessionOf } from "./guard.ts";
import type { Jobs } from "./jobs.ts";
import { addLogin } from "./login.ts";
import { addPages } from "./pages.ts";
import { previewFolder } from "./preview-view.ts";
import { notBegun, type RunIndex } from "./run-index.ts";
import { streamStudy } from "./stream.ts";
import { openStudies } from "./studies.ts";
import { folderOf, studyView } from "./study-view.ts";

/** What the server is made of. */
export interface AppOptions extends GuardOptions {
  readonly runs: Confined;
  readonly index: RunIndex;
  readonly jobs: Jobs;
  /** Folder of the built page. */
  readonly webDir: string;
}

const SCHEMA = fileURLToPath(new URL("../../schema/study.schema.json", import.meta.url));

/** Streams that may be open at once: each looks at the disk twice a second. */
const MOST_STREAMS = 32;
/** Runs that are compared at most. */
const MOST_COMPARED = 16;

const CheckBody = z.strictObject({ yaml: z.string(), plan: z.boolean().default(false) });
const EstimateBody = z.strictObject({ yaml: z.string() });
const SaveBody = z.strictObject({ yaml: z.string(), start: z.boolean() });
const SessionBody = z.strictObject({ showPrivate: z.boolean() });

/** All routes behind their guards. */
export async function createApp(options: AppOptions): Promise<Hono> {
  const { runs, index, jobs, sessions, cookie } = options;
  const studies = openStudies(runs, jobs);
  const logs = openEventLogs(runs);
  const app = new Hono();
  for (const guard of guards(options)) app.use(guard);
  addLogin(app, options);
  await addPages(app, options.webDir);

  app.get("/api/runs", async (c) => {
    const { q = "", state = "", kind = "", from = "0" } = c.req.query();
    return c.json(await index.list({ q, state, kind, from: /^\d{1,6}$/.test(from) ? Number(from) : 0 }));
  });

  /** A study's view; of one that was only just started, before it has a folder. */
  const viewOf = async (id: string) => {
    const row = id.includes("/") ? undefined : await index.find(id);
    const control = await studies.control(id, row);
    if (row === undefined && control.log.length === 0 && !control.canStop && !control.canStart) return undefined;
    return studyView({ runs, index, logs }, row ?? notBegun(id), control);
  };
  app.get("/api/runs/:study", async (c) => {
    const view = await viewOf(c.req.param("study"));
    return view === undefined ? refuse(c, 404, "no run of this name") : c.json(view);
  });

  let streams = 0;
  app.get("/api/runs/:study/events", async (c) => {
    const id = c.req.param("study");
    if ((await viewOf(id)) === undefined) return refuse(c, 404, "no run of this name");
    if (streams >= MOST_STREAMS) return refuse(c, 409, "too many pages are watching; close some");
    streams++;
    return streamSSE(c, async (stream) => {
      try {
        await streamStudy({ stream, runs, logs, id, view: () => viewOf(id) });
      } finally {
        streams--;
      }
    });
  });

  app.get("/api/runs/:study/cells/:cell", async (c) => {
    const row = await index.find(`${c.req.param("study")}/${c.req.param("cell")}`);
    return row === undefined ? refuse(c, 404, "no cell of this name") : c.json(await cellView(runs, row));
  });
  app.get("/api/runs/:study/cells/:cell/images/:label/:file", (c) => {
    const { study, cell, label, file } = c.req.param();
    return picture(c, runs, [...folderOf(`${study}/${cell}`), ...IMAGES, label, file]);
  });
  app.get("/api/runs/:study/cells/:cell/private/:file", async (c) => {
    if (!sessions.get(sessionOf(c, cookie)).showPrivate)
      return refuse(c, 403, "private images are shown only to a session that asked for them");
    const { study, cell, file } = c.req.param();
    return picture(c, runs, [...folderOf(`${study}/${cell}`), ...PRIVATE, file]);
  });
  app.get("/api/steps/:step/:file", async (c) => {
    const { step, file } = c.req.param();
    const known: readonly string[] = [PREVIEW_FILES.first, PREVIEW_FILES.latest];
    return known.includes(file) ? picture(c, runs, [...previewFolder(step), file]) : refuse(c, 404, "no such picture");
  });

  app.get("/api/compare", async (c) => {
    const ids = (c.req.query("runs") ?? "").split(",").filter((id) => /^[^/]+(\/[^/]+)?$/.test(id));
    if (ids.length === 0 || ids.length > MOST_COMPARED)
      return refuse(c, 400, `runs: expected 1 to ${MOST_COMPARED} names, got ${ids.length}`);
    return c.json(await comparisonView(runs, ids));
  });

  app.get("/api/schema", async (c) =>
    c.body(await readFile(SCHEMA, "utf8"), 200, { "Content-Type": "application/json" }),
  );
  app.post("/api/studies/check", async (c) => {
    const { yaml, plan } = CheckBody.parse(await c.req.json());
    return c.json(await studies.check(yaml, plan));
  });
  app.post("/api/studies/estimate", async (c) => {
    const { yaml } = EstimateBody.parse(await c.req.json());
    return c.json(await studies.estimate(yaml, c.req.raw.signal));
  });
  app.post("/api/studies", async (c) => {
    const { yaml, start } = SaveBody.parse(await c.req.json());
    const { id, file } = await studies.save(yaml);
    if (start) await studies.start(id);
    return c.json({ id, file: basename(file) }, 201);
  });
  app.post("/api/runs/:study/start", async (c) => {
    await studies.start(c.req.param("study"));
    return c.json({});
  });
  app.post("/api/runs/:study/stop", (c) => {
    studies.stop(c.req.param("study"));
    return c.json({});
  });

  const session = (c: Context): SessionView => ({ showPrivate: sessions.get(sessionOf(c, cookie)).showPrivate });
  app.get("/api/session", (c) => c.json(session(c)));
  app.post("/api/session", async (c) => {
    const { showPrivate } = SessionBody.parse(await c.req.json());
    keepSession(c, cookie, sessions.set(sessionOf(c, cookie), { showPrivate }));
    return c.json({ showPrivate } satisfies SessionView);
  });

  app.notFound((c) => refuse(c, 404, "nothing here"));
  app.onError((error, c) => {
    if (error instanceof UserError) return refuse(c, 409, error.message);
    if (error instanceof z.ZodError || error instanceof SyntaxError)
      return refuse(c, 400, "the request's body is not what this address expects");
    // What went wrong in here is for the one who runs the server, not for whoever asks.
    console.error(error);
    return c.json({ error: "the server failed; its terminal says why" }, 500);
  });
  return app;
}

async function picture(c: Context, runs: Confined, names: readonly string[]) {
  const bytes = names.at(-1)?.endsWith(".png") === true ? await runs.read(names) : undefined;
  if (bytes === undefined) return refuse(c, 404, "no such picture");
  return c.body(new Uint8Array(bytes), 200, { "Content-Type": "image/png" });
}
