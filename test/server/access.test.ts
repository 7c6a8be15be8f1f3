import { mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ComparisonView } from "../../src/server/api.ts";
import { type Served, type ServeOptions, serve } from "../../src/server/index.ts";
import { writeRecord } from "../support/fake-runs.ts";
import { command, SECRET, serveRuns } from "../support/serve-runs.ts";

const { root, runsDir, webDir, served, send, close } = await serveRuns();
afterAll(close);

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
