import { afterEach, describe, expect, test } from "vitest";
import { type JudgeServer, judgeServer, type Reply } from "../../test/support/judge-server.ts";
import { HttpJudgeSettings, httpJudge } from "./http-judge.ts";

let server: JudgeServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const question = { image: Uint8Array.of(1, 2, 3), references: [Uint8Array.of(4), Uint8Array.of(5)] };
const never = new AbortController().signal;

/** Asks once; the server gives the replies in turn, the last one again and again. */
async function ask(replies: readonly Reply[], settings: object = {}, env = {}, signal = never) {
  server = await judgeServer((_, n) => replies[Math.min(n, replies.length - 1)]!);
  const parsed = HttpJudgeSettings.parse({ name: "panel", endpoint: server.endpoint, ...settings });
  return httpJudge(parsed, env, 0.001)(question, signal);
}

describe("an HTTP judge", () => {
  test.each([true, false, null])("gets the question as documented, and %s is its answer", async (same) => {
    expect(await ask([{ body: JSON.stringify({ same, reason: "hair" }) }])).toBe(same);
    expect(server!.requests).toHaveLength(1);
    expect(server!.requests[0]!.body).toEqual({
      schemaVersion: 1,
      question: "Does the image show the same individual as the references?",
      image: "data:image/png;base64,AQID",
      references: ["data:image/png;base64,BA==", "data:image/png;base64,BQ=="],
    });
    expect(server!.requests[0]!.headers).not.toHaveProperty("authorization");
  });

  test("gets a bearer token where one is named", async () => {
    await ask([{ body: '{"same":true}' }], { tokenVariable: "JUDGE_TOKEN" }, { JUDGE_TOKEN: "secret" });
    expect(server!.requests[0]!.headers.authorization).toBe("Bearer secret");
    await expect(ask([{}], { tokenVariable: "JUDGE_TOKEN" })).rejects.toThrow(
      "httpJudge.tokenVariable: the environment variable JUDGE_TOKEN is not set",
    );
  });

  test("is asked again where it is busy or broken, as often as it may be", async () => {
    expect(await ask([{ status: 429 }, { status: 503 }, { body: '{"same":false}' }], { retries: 2 })).toBe(false);
    expect(server!.requests).toHaveLength(3);
    await server!.close();
    await expect(ask([{ status: 500, body: "out of memory" }], { retries: 1 })).rejects.toThrow(
      /^judge panel at http:\/\/127\.0\.0\.1:\d+\/same: status 500, "out of memory" \(2 tries\)$/,
    );
    expect(server!.requests).toHaveLength(2);
  });

  test.each<[string, Reply, RegExp]>([
    ["a status that will not pass", { status: 401, body: "no token" }, /status 401, "no token"$/],
    ["no JSON", { body: "<html>" }, /expected \{"same": true\}, false or null, got what is no JSON: "<html>"$/],
    ["another form", { body: '{"same":"yes"}' }, /expected \{"same": true\}, false or null, got .*yes/],
    ["a redirection", { status: 302 }, /redirect/],
  ])("%s is an error that says so", async (_, reply, message) => {
    const failed = await ask([reply], { retries: 0 }).catch((error: unknown) => error);
    expect(failed).toMatchObject({ name: "UserError", exitCode: 4, message: expect.stringMatching(message) });
    expect(server!.requests).toHaveLength(1);
  });

  test("silence and a closed port are errors after the last try", async () => {
    await expect(ask([{ silent: true }], { timeout: 0.05, retries: 1 })).rejects.toThrow(
      "no answer within 0.05 s (2 tries)",
    );
    const settings = HttpJudgeSettings.parse({ name: "panel", endpoint: server!.endpoint, retries: 0 });
    await server!.close();
    await expect(httpJudge(settings, {}, 0)(question, never)).rejects.toThrow(/^judge panel at .*: .+ \(1 try\)$/);
  });

  test("an interruption ends the wait at once", async () => {
    const controller = new AbortController();
    const waiting = ask([{ silent: true }], {}, {}, controller.signal);
    setTimeout(() => controller.abort(), 30);
    await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
  });
});

test.each([
  ["http://127.0.0.1:80/a", false, true],
  ["http://localhost/a", false, true],
  ["http://[::1]:9/a", false, true],
  ["https://judge.example/a", false, false],
  ["https://judge.example/a", true, true],
  ["http://127.0.0.1.example/a", false, false],
  ["ftp://127.0.0.1/a", false, false],
  ["judge", false, false],
])("endpoint %s with sendPrivateImages %s is allowed: %s", (endpoint, sendPrivateImages, allowed) => {
  expect(HttpJudgeSettings.safeParse({ name: "a", endpoint, sendPrivateImages }).success).toBe(allowed);
});
