import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import type { RunList, SavedStudy, StudyCheck, StudyEstimate, StudyView } from "../../src/server/api.ts";
import { serve } from "../../src/server/index.ts";
import { asJson } from "../../src/study/canonical.ts";
import { readStudy } from "../../src/study/read-study.ts";
import { studyFolder } from "../../src/study/study-folder.ts";
import { quickstart, writeRecord } from "../support/fake-runs.ts";
import { command, serveRuns } from "../support/serve-runs.ts";
import { study } from "../support/study-result.ts";

/** A new process takes long to begin on a machine with much to do. */
const PATIENCE = { timeout: 120_000 };

const { root, runsDir, webDir, served, send, close } = await serveRuns();
afterAll(close);

describe("studies", () => {
  const post = (path: string, body: object) => send(path, { body: JSON.stringify(body) });
  const called = async () => JSON.parse(await readFile(join(runsDir, "called.json"), "utf8")) as { args: string[] };

  test("are checked by the command line's own code, each message at its field", async () => {
    const yaml = (await quickstart())
      .replace("epochs: 40", "epochs: many")
      .replace("kind: gmi,", "kind: gmi, iteratons: 3,");
    const { faults } = (await post("/api/studies/check", { yaml })).json<StudyCheck>();
    expect(faults).toEqual([
      { path: ["training", "epochs"], line: expect.any(Number), message: 'expected a number, got the text "many"' },
      {
        path: ["attacks", 0, "iteratons"],
        line: expect.any(Number),
        message: expect.stringContaining('did you mean "iterations"?'),
      },
    ]);
    const broken = (await post("/api/studies/check", { yaml: "name: [" })).json<StudyCheck>();
    expect(broken.faults[0]).toMatchObject({ path: [], line: 1 });
    expect((await post("/api/studies/check", { yaml: await quickstart(), more: 1 })).status).toBe(400);
  });

  test("have their steps counted, and leave nothing behind", async () => {
    const yaml = await quickstart();
    const { faults, steps } = (await post("/api/studies/check", { yaml, plan: true })).json<StudyCheck>();
    expect([faults.length, steps?.map(({ state }) => state)]).toEqual([0, ["shipped", "to do"]]);
    expect((await called()).args[0]).toBe("validate");
    expect((await readdir(join(runsDir, "studies"))).filter((name) => name.startsWith("check"))).toEqual([]);
  });

  test("have their time estimated beside everything else that is asked, one at a time", async () => {
    const yaml = await quickstart();
    const { steps } = (await post("/api/studies/estimate", { yaml })).json<StudyEstimate>();
    expect(steps).toMatchObject([
      { name: "start weights", state: "shipped" },
      { state: "to do", cost: { seconds: 754, queries: 12_000 }, basis: "rehearsed" },
    ]);
    expect((await called()).args).toEqual(expect.arrayContaining(["validate", "--estimate", "--json"]));
    const wrong = (
      await post("/api/studies/estimate", { yaml: yaml.replace("epochs: 40", "epochs: many") })
    ).json<StudyEstimate>();
    expect([wrong.steps, wrong.faults[0]?.path]).toEqual([undefined, ["training", "epochs"]]);

    await rm(join(runsDir, "called.json"));
    const leaves = new AbortController();
    const endless = fetch(new URL("/api/studies/estimate", served.url), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ yaml: yaml.replace("name: quickstart", "name: endless") }),
      signal: leaves.signal,
    });
    const left = expect(endless).rejects.toThrow("aborted");
    await expect.poll(() => existsSync(join(runsDir, "called.json")), PATIENCE).toBe(true);
    expect((await send("/api/runs")).status).toBe(200);
    const second = await post("/api/studies/estimate", { yaml });
    expect([second.status, second.text]).toEqual([409, expect.stringContaining("another study is being estimated")]);

    // Whoever asked has left: the command is told to end, and the next one may ask.
    leaves.abort();
    await left;
    await expect.poll(() => existsSync(join(runsDir, "stopped.json")), PATIENCE).toBe(true);
    await expect.poll(async () => (await post("/api/studies/estimate", { yaml })).status, PATIENCE).toBe(200);
    expect((await readdir(join(runsDir, "studies"))).filter((name) => name.startsWith("check"))).toEqual([]);
  });

  test("are written, started, stopped so that they can be resumed, and resumed, without a shell", async () => {
    const saved = await post("/api/studies", { yaml: await quickstart(), start: true });
    expect(saved.status).toBe(201);
    const { id, file } = saved.json<SavedStudy>();
    expect([id, file]).toEqual([expect.stringMatching(/^quickstart-[0-9a-f]{8}$/), `${id}.yaml`]);
    const view = async () => (await send(`/api/runs/${id}`)).json<StudyView>();
    await expect.poll(async () => (await view()).control.log, PATIENCE).toEqual(["target none, seed 1"]);
    expect((await view()).control).toMatchObject({ canStart: false, canStop: true });
    expect((await called()).args).toEqual(["run", join(runsDir, "studies", file), "--runs", runsDir, "--no-color"]);
    expect((await post(`/api/runs/${id}/start`, {})).json()).toEqual({ error: `${id} is running already` });
    expect((await post("/api/studies/estimate", { yaml: await quickstart() })).json()).toEqual({
      error: `${id} is running, and would be measured too; wait until it ends`,
    });

    expect((await post(`/api/runs/${id}/stop`, {})).status).toBe(200);
    await expect.poll(async () => (await view()).control.canStart, PATIENCE).toBe(true);
    expect((await view()).control.log.at(-1)).toBe("stopping: saving a checkpoint first");
    expect((await post(`/api/runs/${id}/start`, {})).status).toBe(200);
    await post(`/api/runs/${id}/stop`, {});
    await expect.poll(async () => (await view()).control.canStop, PATIENCE).toBe(false);
    for (const place of [root, process.cwd(), runsDir]) expect(existsSync(join(place, "shell-was-here"))).toBe(false);
  });

  test("that were started elsewhere are resumed from their own record, but not where paths would mean other files", async () => {
    const place = async (yaml: string) => {
      const file = join(root, "other.yaml");
      await writeFile(file, yaml);
      const { study } = await readStudy(file);
      const dir = studyFolder(runsDir, study);
      await writeRecord(dir, { status: "INTERRUPTED" });
      await writeFile(join(dir, "config.yaml"), stringify(asJson(study)));
      return dir.slice(runsDir.length + 1);
    };
    const id = await place((await quickstart()).replace("name: quickstart", "name: elsewhere"));
    expect((await post(`/api/runs/${id}/start`, {})).status).toBe(200);
    await post(`/api/runs/${id}/stop`, {});
    const folder = (await quickstart())
      .replace("name: quickstart", "name: folder")
      .replace(/data:[\s\S]*?\n\n/, "data: { kind: folder, private: a, public: /b, size: 32 }\n\n")
      .replace(/attributes:\n[\s\S]*?\n\n/, "\n");
    const refused = await post(`/api/runs/${await place(folder)}/start`, {});
    expect(refused.json<{ error: string }>().error).toContain(
      "data.private: a path that starts at the study's own file",
    );
    for (const name of ["elsewhere", "folder"])
      for (const dir of await readdir(runsDir))
        if (dir.startsWith(name)) await rm(join(runsDir, dir), { recursive: true });
  });

  test("that are over are started again only where some of their cells failed", async () => {
    const file = join(root, "over.yaml");
    await writeFile(file, (await quickstart()).replace("name: quickstart", "name: over"));
    const { study: settings } = await readStudy(file);
    const dir = studyFolder(runsDir, settings);
    const id = dir.slice(runsDir.length + 1);
    await writeRecord(dir, { status: "COMPLETED" });
    await writeFile(join(dir, "config.yaml"), stringify(asJson(settings)));
    const control = async () => (await send(`/api/runs/${id}`)).json<StudyView>().control;
    const write = (failed: object[]) => writeFile(join(dir, "study.json"), JSON.stringify({ ...study([]), failed }));
    const failed = { defense: "none", attack: "gmi", seed: 1, message: "the disk is full" };

    await write([]);
    expect(await control()).toMatchObject({ canStart: false, why: "It is finished." });
    await write([failed, { ...failed, seed: 2 }]);
    expect(await control()).toMatchObject({ canStart: true, why: expect.stringMatching(/^2 of its cells failed: /) });
    await write([failed]);
    expect(await control()).toMatchObject({ canStart: true, why: expect.stringMatching(/^One of its cells failed: /) });

    expect((await post(`/api/runs/${id}/start`, {})).status).toBe(200);
    await post(`/api/runs/${id}/stop`, {});
    await expect.poll(async () => (await control()).canStop, PATIENCE).toBe(false);
    await rm(dir, { recursive: true });
  });

  test("of others are left alone, and what is not valid is not written", async () => {
    const stop = await post("/api/runs/running-1/stop", {});
    expect([stop.status, stop.text]).toEqual([409, expect.stringContaining("was not started by this server")]);
    const before = await readdir(join(runsDir, "studies"));
    const { rows } = (await send("/api/runs?state=QUEUED")).json<RunList>();
    expect(rows).toMatchObject([{ id: expect.stringMatching(/^quickstart-/), attempts: 0 }]);
    expect((await post("/api/studies", { yaml: "name: ../../x", start: false })).status).toBe(409);
    expect(await readdir(join(runsDir, "studies"))).toEqual(before);
  });

  test("are not written through a link", async () => {
    const elsewhere = join(root, "elsewhere");
    const linked = join(root, "linked-runs");
    await mkdir(elsewhere);
    await mkdir(linked);
    await symlink(elsewhere, join(linked, "studies"));
    const other = await serve({ runsDir: linked, host: "127.0.0.1", port: 0, command, webDir });
    const answer = await send("/api/studies", {
      to: other,
      body: JSON.stringify({ yaml: await quickstart(), start: false }),
    });
    expect([answer.status, await readdir(elsewhere)]).toEqual([409, []]);
    await other.close();
  });

  test("what is no JSON is said to be none", async () => {
    const answer = await send("/api/studies/check", { body: "{" });
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining("not what this address expects")]);
  });
});
