import { existsSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { type IncomingHttpHeaders, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import type {
  CellView,
  ComparisonView,
  RunList,
  SavedStudy,
  StudyCheck,
  StudyEstimate,
  StudyView,
} from "../src/server/api.ts";
import { confinedTo } from "../src/server/confined.ts";
import { type Served, type ServeOptions, serve } from "../src/server/index.ts";
import { openRunIndex } from "../src/server/run-index.ts";
import { asJson } from "../src/study/canonical.ts";
import { readStudy } from "../src/study/read-study.ts";
import { studyFolder } from "../src/study/study-folder.ts";
import { quickstart, writeFinishedStudy, writeManyRuns, writeRecord, writeRunningStudy } from "./support/fake-runs.ts";
import { study } from "./support/study-result.ts";

/** A new process takes long to begin on a machine with much to do. */
const PATIENCE = { timeout: 120_000 };
const SECRET = "nobody may read this";
const command = [process.execPath, fileURLToPath(new URL("support/fake-cli.mjs", import.meta.url))] as const;

let root = "";
let runsDir = "";
let webDir = "";
let served: Served;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "serve-"));
  // A shell would run what stands in this name.
  runsDir = join(root, "runs $(touch shell-was-here); touch shell-was-here");
  webDir = join(root, "web");
  await mkdir(join(webDir, "assets"), { recursive: true });
  await writeFile(join(webDir, "index.html"), "<!doctype html><title>page</title>");
  await writeFile(join(webDir, "assets", "page.js"), "");
  await writeFile(join(root, "secret.png"), SECRET);
  await writeFile(join(root, "run.json"), SECRET);
  await writeFinishedStudy(runsDir, "finished-1");
  await writeRunningStudy(runsDir, "running-1");
  served = await serve({ runsDir, host: "127.0.0.1", port: 0, command, webDir });
});
afterAll(async () => {
  await served.close();
  await rm(root, { recursive: true });
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  json<T>(): T;
}

/** A request as it is written: `path` goes out unchanged, as no browser would send it. */
function send(
  path: string,
  options: {
    method?: string;
    headers?: Record<string, string>;
    body?: string | Buffer;
    to?: Served;
    chunked?: boolean;
  } = {},
): Promise<Answer> {
  const { method = options.body === undefined ? "GET" : "POST", headers = {}, body, to = served, chunked } = options;
  const { hostname, port } = new URL(to.url);
  const typed = body === undefined ? headers : { "content-type": "application/json", ...headers };
  return new Promise((resolve, reject) => {
    const out = request(
      { hostname: hostname.replace("0.0.0.0", "127.0.0.1"), port, path, method, headers: typed },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, json: () => JSON.parse(text) });
        });
      },
    );
    out.on("error", reject);
    if (chunked && body !== undefined) {
      out.write(body);
      out.end(body);
    } else out.end(body);
  });
}

const own = () => new URL(served.url).host;

describe("who is answered", () => {
  test("a name that was made to point at this machine is refused, on pages and on data (DNS rebinding)", async () => {
    const port = new URL(served.url).port;
    for (const host of [`evil.example:${port}`, "evil.example", `127.0.0.1.evil.example:${port}`, "127.0.0.1:1"])
      for (const path of ["/", "/api/runs", "/theme.css"])
        expect((await send(path, { headers: { host } })).status, `${host} ${path}`).toBe(403);
    for (const host of [`localhost:${port}`, `[::1]:${port}`, `127.0.0.1:${port}`])
      expect((await send("/api/runs", { headers: { host } })).status, host).toBe(200);
  });

  test.each([
    ["another site's origin", { origin: "https://evil.example" }],
    ["an origin without a name, as of a sandboxed frame", { origin: "null" }],
    ["another port of this machine", { origin: "http://127.0.0.1:1" }],
    ["a browser that says another site asks", { "sec-fetch-site": "cross-site" }],
    ["a browser that says a sister site asks", { "sec-fetch-site": "same-site" }],
  ])("%s may neither read nor change anything", async (_, headers) => {
    expect((await send("/api/runs", { headers })).status).toBe(403);
    const stop = await send("/api/runs/running-1/stop", { headers, body: "{}" });
    expect(stop.status).toBe(403);
    const picture = "/api/runs/finished-1/cells/none-gmi-seed1/images/0/0.png";
    expect((await send(picture, { headers: { ...headers, "sec-fetch-dest": "image" } })).status).toBe(403);
  });

  test("the page itself is answered, and a link on another site may lead to it", async () => {
    const visit = { "sec-fetch-site": "cross-site", "sec-fetch-dest": "document", "sec-fetch-mode": "navigate" };
    expect((await send("/", { headers: visit })).status).toBe(200);
    expect((await send("/api/runs", { headers: visit })).status).toBe(403);
    expect(
      (await send("/api/runs", { headers: { origin: `http://${own()}`, "sec-fetch-site": "same-origin" } })).status,
    ).toBe(200);
  });

  test.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])(
    "a body of type %s, which a form of another site can send unasked, is refused",
    async (type) => {
      const answer = await send("/api/session", { body: '{"showPrivate":true}', headers: { "content-type": type } });
      expect([answer.status, answer.headers["set-cookie"]]).toEqual([415, undefined]);
    },
  );

  test("methods that nothing here needs are refused", async () => {
    for (const method of ["PUT", "DELETE", "OPTIONS", "PATCH"])
      expect((await send("/api/runs", { method })).status, method).toBe(405);
  });

  test("every answer forbids foreign and inline scripts, frames and guessed types", async () => {
    for (const path of ["/", "/api/runs", "/nothing", "/assets/page.js", "/api/runs/running-1"]) {
      const { headers } = await send(path);
      const policy = String(headers["content-security-policy"]);
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self';");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|\*|https?:|data:/);
      expect(headers).toMatchObject({
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
      });
      expect(headers["access-control-allow-origin"]).toBeUndefined();
    }
    expect((await send("/api/runs", { headers: { host: "evil" } })).headers["content-security-policy"]).toContain(
      "'none'",
    );
  });

  test("a body that is too large is refused, whether it says its length or not", async () => {
    const body = Buffer.alloc(300 * 1024, "x");
    expect((await send("/api/studies/check", { body })).status).toBe(413);
    // The answer may meet a sender that is still talking: then the connection ends, which is an answer too.
    const unsaid = await send("/api/studies/check", {
      body,
      headers: { "transfer-encoding": "chunked" },
      chunked: true,
    }).then(
      ({ status }) => status,
      () => "closed",
    );
    expect([411, "closed"]).toContain(unsaid);
  });
});

describe("paths", () => {
  const cell = "/api/runs/finished-1/cells/none-gmi-seed1";

  test("lead to the run's own pictures", async () => {
    const answer = await send(`${cell}/images/0/0.png`);
    expect([answer.status, answer.headers["content-type"]]).toEqual([200, "image/png"]);
  });

  test.each([
    `${cell}/images/../../../../../secret.png`,
    `${cell}/images/..%2f..%2f..%2f..%2f..%2f../secret.png`,
    `${cell}/images/%2e%2e/%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2fsecret.png`,
    `${cell}/images/..%5c..%5c/secret.png`,
    `${cell}/images/0/0.png%00.png`,
    "/api/runs/..%2f..",
    "/api/runs/..",
    "/api/runs/%2e%2e",
    "/assets/../../secret.png",
    "/assets/..%2f..%2fsecret.png",
    "//etc/passwd",
    "/api/steps/..%2f..%2fsecret/latest.png",
    `/api/compare?runs=${encodeURIComponent("../run")}`,
  ])("%s leads nowhere", async (path) => {
    const answer = await send(path);
    expect(answer.text).not.toContain(SECRET);
    if (path.startsWith("/api/compare")) expect(answer.json<ComparisonView>().conditions).toEqual([]);
    else expect(answer.status).toBe(404);
  });

  test("links lead nowhere: of a study, of a cell, of a folder, of a picture, of a record", async () => {
    await symlink(root, join(runsDir, "linked-study"));
    await mkdir(join(runsDir, "links", "cells", "c", "artifacts", "images", "0"), { recursive: true });
    await writeRecord(join(runsDir, "links", "cells", "c"), { kind: "cell", name: "c" });
    await symlink(join(root, "secret.png"), join(runsDir, "links", "cells", "c", "artifacts", "images", "0", "0.png"));
    await symlink(root, join(runsDir, "links", "cells", "c", "artifacts", "images", "1"));
    await symlink(join(runsDir, "finished-1", "cells", "none-gmi-seed1"), join(runsDir, "links", "cells", "d"));
    await writeRecord(join(root, "outside"), { name: SECRET });
    await symlink(join(root, "outside", "run.json"), join(runsDir, "links", "run.json"));
    await symlink(join(root, "outside"), join(runsDir, "outside"));
    for (const path of [
      "/api/runs/linked-study",
      "/api/runs/outside",
      "/api/runs/links",
      "/api/runs/links/cells/d",
      "/api/runs/links/cells/c/images/0/0.png",
      "/api/runs/links/cells/c/images/1/secret.png",
    ]) {
      const answer = await send(path);
      expect([answer.status, answer.text.includes(SECRET)], path).toEqual([404, false]);
    }
    expect((await send("/api/runs?kind=")).text).not.toContain(SECRET);
    await rm(join(runsDir, "links"), { recursive: true });
  });
});

describe("private images", () => {
  const path = "/api/runs/finished-1/cells/none-gmi-seed1/private/0.png";
  const ask = async (showPrivate: boolean, cookie = "") => {
    const answer = await send("/api/session", {
      body: JSON.stringify({ showPrivate }),
      headers: cookie === "" ? {} : { cookie },
    });
    return String(answer.headers["set-cookie"]?.[0]);
  };

  test("are shown to the session that asked for them, to no other, and no longer than it wants", async () => {
    expect((await send(path)).status).toBe(403);
    expect((await send("/api/session")).json()).toEqual({ showPrivate: false });
    const set = await ask(true);
    expect(set).toMatch(/^tldmi-[0-9a-f]{8}=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Strict$/);
    const cookie = set.split(";")[0]!;
    expect((await send(path, { headers: { cookie } })).status).toBe(200);
    expect((await send(path)).status).toBe(403);
    expect((await send(path, { headers: { cookie: `${cookie.split("=")[0]}=${"0".repeat(64)}` } })).status).toBe(403);
    await ask(false, cookie);
    expect((await send(path, { headers: { cookie } })).status).toBe(403);
  });

  test("cannot be had as reconstructions", async () => {
    const around = path.replace("/private/", "/images/..%2fprivate/");
    expect((await send(around)).status).toBe(404);
  });
});

describe("other addresses than this machine's own", () => {
  const TOKEN = "0123456789abcdef-token";
  let open: Served;
  const start = (options: Partial<ServeOptions> = {}) =>
    serve({ runsDir, host: "0.0.0.0", port: 0, command, webDir, ...options });
  beforeAll(async () => {
    open = await start({ token: TOKEN });
  });
  afterAll(() => open.close());
  const host = () => ({ host: `127.0.0.1:${new URL(open.url).port}` });

  test("ask for a token, on data, pages and changes", async () => {
    for (const path of ["/", "/api/runs", "/api/runs/running-1/events", "/assets/page.js"])
      expect((await send(path, { to: open, headers: host() })).status, path).toBe(401);
    expect((await send("/api/session", { to: open, headers: host(), body: '{"showPrivate":true}' })).status).toBe(401);
    for (const given of ["wrong", TOKEN.slice(0, -1), `${TOKEN}x`])
      expect(
        (await send("/api/runs", { to: open, headers: { ...host(), authorization: `Bearer ${given}` } })).status,
      ).toBe(401);
    const right = { ...host(), authorization: `Bearer ${TOKEN}` };
    expect((await send("/api/runs", { to: open, headers: right })).status).toBe(200);
  });

  test("send browsers to a page that takes the token and gives a session", async () => {
    const visit = await send("/", { to: open, headers: { ...host(), accept: "text/html" } });
    expect([visit.status, visit.headers.location]).toEqual([302, "/login"]);
    expect((await send("/login", { to: open, headers: host() })).text).toContain('name="token"');
    const form = { ...host(), "content-type": "application/x-www-form-urlencoded" };
    const wrong = await send("/login", { to: open, headers: form, body: "token=wrong" });
    expect([wrong.status, wrong.headers["set-cookie"]]).toEqual([401, undefined]);
    const other = { ...form, origin: "https://evil.example" };
    expect((await send("/login", { to: open, headers: other, body: `token=${TOKEN}` })).status).toBe(403);
    const right = await send("/login", { to: open, headers: form, body: `token=${TOKEN}` });
    const cookie = String(right.headers["set-cookie"]?.[0]).split(";")[0]!;
    expect((await send("/api/runs", { to: open, headers: { ...host(), cookie } })).status).toBe(200);
  });

  test("still answer to their own names only, and to those that they are told", async () => {
    const right = { authorization: `Bearer ${TOKEN}` };
    expect((await send("/api/runs", { to: open, headers: { ...right, host: "evil.example" } })).status).toBe(403);
    const named = await start({ token: TOKEN, names: ["runs.example"] });
    expect((await send("/api/runs", { to: named, headers: { ...right, host: "runs.example" } })).status).toBe(200);
    await named.close();
  });

  test("are also names on this machine: what is reached through a proxy asks for the token, under every name", async () => {
    const named = await start({ host: "127.0.0.1", names: ["runs.example"] });
    expect(named.token).toMatch(/^[\w-]{32}$/);
    for (const name of ["runs.example", new URL(named.url).host]) {
      const proxied = { host: name, "x-forwarded-for": "192.0.2.7" };
      for (const path of ["/", "/api/runs", "/api/runs/running-1/events"])
        expect((await send(path, { to: named, headers: proxied })).status, `${name} ${path}`).toBe(401);
      const right = { ...proxied, authorization: `Bearer ${named.token}` };
      expect((await send("/api/runs", { to: named, headers: right })).status, name).toBe(200);
    }
    await named.close();
  });

  test("get a session that is sent over TLS alone where the browser came that way, whatever a proxy says", async () => {
    const named = await start({ host: "127.0.0.1", names: ["runs.example"], token: TOKEN });
    const cookie = async (headers: Record<string, string>) => {
      const form = { host: "runs.example", "content-type": "application/x-www-form-urlencoded", ...headers };
      const answer = await send("/login", { to: named, headers: form, body: `token=${TOKEN}` });
      return String(answer.headers["set-cookie"]?.[0]);
    };
    expect(await cookie({ origin: "https://runs.example" })).toMatch(/; Secure(;|$)/);
    for (const origin of [{}, { origin: "http://runs.example" }])
      expect(await cookie({ ...origin, "x-forwarded-proto": "https" })).not.toMatch(/Secure/);
    await named.close();
  });

  test("get a token at random where none is given; one that can be guessed is refused", async () => {
    const [first, second] = [await start(), await start()];
    expect(first.token).toMatch(/^[\w-]{32}$/);
    expect(first.token).not.toBe(second.token);
    await first.close();
    await second.close();
    await expect(start({ token: "short" })).rejects.toThrow("the token has 5 letters; expected at least 16");
    expect(served.token).toBeUndefined();
  });
});

test("a port that is taken, or an address of another machine, is said in a sentence", async () => {
  const port = Number(new URL(served.url).port);
  const common = { runsDir, command, webDir };
  await expect(serve({ ...common, host: "127.0.0.1", port })).rejects.toThrow(
    `port ${port} of 127.0.0.1 is taken; choose another with --port`,
  );
  await expect(serve({ ...common, host: "192.0.2.1", port: 0 })).rejects.toThrow(
    "192.0.2.1 is no address of this machine",
  );
  await expect(serve({ ...common, host: "127.0.0.1", port: 0, webDir: join(root, "none") })).rejects.toThrow(
    "build it with `npm run build`",
  );
});

describe("runs", () => {
  test("are listed newest first, and found by words, state and kind", async () => {
    const list = async (query: string) => (await send(`/api/runs?${new URLSearchParams(query)}`)).json<RunList>();
    const studies = await list("kind=study");
    expect(studies.rows.map(({ id, state }) => [id, state])).toEqual([
      ["running-1", "RUNNING"],
      ["finished-1", "COMPLETED"],
    ]);
    expect(studies).toMatchObject({ total: 9, matched: 2 });
    expect((await list("q=TL-DMI kedmi")).rows.map(({ id }) => id)).toEqual(["finished-1/tl-dmi-layer3.0-kedmi-seed1"]);
    expect((await list("state=FAILED")).rows).toMatchObject([
      { id: "running-1/none-kedmi-seed1", error: expect.stringContaining("NaN") },
    ]);
  });

  test("whose heartbeat stopped minutes ago are lost", async () => {
    const heartbeat = new Date(Date.now() - 10 * 60_000).toISOString();
    await writeRecord(join(runsDir, "lost-1"), { status: "RUNNING", heartbeat });
    const view = (await send("/api/runs/lost-1")).json<StudyView>();
    expect(view.row.state).toBe("LOST");
    await rm(join(runsDir, "lost-1"), { recursive: true });
  });

  test("2,000 of them are each read once, and again only when they change", async () => {
    const many = join(root, "many");
    await writeManyRuns(many, 200, 9);
    const read: string[] = [];
    const index = openRunIndex(await confinedTo(many), (file) => {
      read.push(file);
      return readFile(file, "utf8");
    });
    expect(await index.list({})).toMatchObject({ total: 2000, matched: 2000, rows: { length: 100 } });
    expect(new Set(read).size).toBe(2000);
    expect(read.length).toBe(2000);
    expect((await index.list({ q: "study-7/ cell-3" })).rows.map(({ id }) => id)).toEqual(["study-7/cell-3"]);
    expect(read.length).toBe(2000);
    await writeRecord(join(many, "study-5"), { name: "renamed" });
    expect((await index.list({ q: "renamed" })).rows.map(({ id }) => id)).toEqual(["study-5"]);
    expect(read.length).toBe(2001);
    await rm(many, { recursive: true });
  });

  test("show their grid: what is done, at work, failed, and still to come", async () => {
    const { grid } = (await send("/api/runs/running-1")).json<StudyView>();
    expect(grid.map(({ cell, state, found }) => [cell, state, found])).toEqual([
      ["none-gmi-seed1", "done", true],
      ["none-kedmi-seed1", "failed", true],
      ["tl-dmi-layer3.0-gmi-seed1", "running", true],
      ["tl-dmi-layer3.0-kedmi-seed1", "waiting", false],
    ]);
    expect(grid[0]?.attackAccuracy?.value).toBe(0.71);
    expect(grid[1]?.message).toContain("NaN");
  });

  test("of cells have numbers and pictures in class order, and name private ones only where they are kept", async () => {
    const view = (await send("/api/runs/finished-1/cells/tl-dmi-layer3.0-gmi-seed1")).json<CellView>();
    expect(view.result?.attackAccuracy.value).toBe(0.42);
    expect(view.fisher?.boundary).toBe("layer1");
    expect(view.identities.map(({ label }) => label)).toEqual([...Array(14).keys()]);
    expect(view.identities[3]?.images).toEqual(
      [0, 1].map((k) => `/api/runs/finished-1/cells/tl-dmi-layer3.0-gmi-seed1/images/3/${k}.png`),
    );
    expect((await send(view.identities[3]!.images[1]!)).status).toBe(200);
    expect(view.identities[3]?.reference).toContain("/private/3.png");
  });

  test("are compared: one point a setting, the pictures of each, and what keeps them from being comparable", async () => {
    const alone = (await send("/api/compare?runs=finished-1")).json<ComparisonView>();
    expect(alone.conditions.map(({ condition }) => condition.label)).toEqual([
      "no defense",
      "no defense",
      "tl-dmi",
      "tl-dmi",
    ]);
    expect(alone.warnings).toEqual([]);
    const both = (await send("/api/compare?runs=finished-1,running-1%2Fnone-gmi-seed1")).json<ComparisonView>();
    expect(both.conditions.map(({ condition }) => condition.label)).toContain("no defense · running-1");
    expect(both.warnings).toContain("the private training images differ");
    expect((await send("/api/compare?runs=")).status).toBe(400);
  });
});

/** Reads events of a stream until `enough` says so. */
async function stream(path: string, enough: (events: readonly { name: string; data: unknown }[]) => boolean) {
  const events: { name: string; data: unknown }[] = [];
  const abort = new AbortController();
  const answer = await fetch(new URL(path, served.url), { signal: abort.signal });
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n\n");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      const name = /^event: (.*)$/m.exec(part)?.[1] ?? "";
      const data = /^data: (.*)$/m.exec(part)?.[1] ?? "null";
      events.push({ name, data: JSON.parse(data) as unknown });
    }
    if (enough(events)) break;
  }
  abort.abort();
  return events;
}

test("a run at work tells its steps, losses and pictures, and goes on as its log does", async () => {
  const log = join(runsDir, "running-1", "events.jsonl");
  const step = { step: "gmi on tl-dmi layer3.0, seed 1", id: "attack-0123456789abcdef" };
  const more = { type: "step-progress", ...step, done: 31, total: 80, unit: "iterations", metrics: { loss: 0.25 } };
  let added = false;
  const events = await stream("/api/runs/running-1/events", (so) => {
    if (!added && so.some(({ name }) => name === "preview")) {
      added = true;
      const line = JSON.stringify({ time: new Date().toISOString(), ...more });
      // In two parts, as a slow writer would: half a line is no event yet.
      void appendFile(log, line.slice(0, 40))
        .then(() => setTimeout(700))
        .then(() => appendFile(log, `${line.slice(40)}\n`));
    }
    return so.some(({ name, data }) => name === "step" && (data as { done?: number }).done === 31);
  });
  const of = (name: string) => events.filter((event) => event.name === name).map(({ data }) => data);
  expect(of("plan")).toEqual([{ steps: 9 }]);
  expect(of("step").slice(0, 3)).toMatchObject([
    { step: "start weights", state: "done", source: "shipped" },
    { step: "target tl-dmi, seed 1", state: "done", source: "run", seconds: 71.4 },
    { ...step, state: "running" },
  ]);
  expect(of("step").at(-1)).toMatchObject({ ...step, done: 31, metrics: { loss: 0.25 } });
  expect(of("view")).toMatchObject([{ row: { state: "RUNNING" } }]);
  const [preview] = of("preview") as { latest: string; labels: number[] }[];
  expect(preview?.labels).toEqual([0, 1, 2, 3, 4, 5]);
  expect((await send(preview!.latest)).headers["content-type"]).toBe("image/png");
});

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
