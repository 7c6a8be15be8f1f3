import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import { call, ended } from "../../../test/support/cli-call.ts";
import type { Modules } from "../modules.ts";

describe("serve", () => {
  /** Serves until Ctrl-C, which comes as soon as it listens. */
  async function serving(args: string, env: Record<string, string> = {}, token?: string) {
    const asked: object[] = [];
    const signals = new EventEmitter();
    let closed = false;
    const modules: Modules = {
      ...ended,
      server: async () => ({
        async serve(options) {
          asked.push(options);
          setImmediate(() => signals.emit("SIGINT"));
          const close = async () => {
            closed = true;
          };
          return { url: "http://127.0.0.1:4173/", token: options.token ?? token, close };
        },
      }),
    };
    return { ...(await call(args, modules, signals, env)), asked, closed: () => closed };
  }

  test("listens on this machine alone, prints where, and closes at Ctrl-C", async () => {
    const { code, out, err, asked, closed } = await serving("serve");
    expect([code, out, closed()]).toEqual([0, "http://127.0.0.1:4173/\n", true]);
    expect(err).toContain("stopping: waiting for studies to save a checkpoint");
    expect(asked).toEqual([{ runsDir: "runs", host: "127.0.0.1", port: 4173, names: [] }]);
  });

  test("prints a token that was made, never one that was given", async () => {
    const made = await serving("serve --host 0.0.0.0 --port 0 --json", {}, "made-at-random");
    expect(JSON.parse(made.out)).toEqual({ url: "http://127.0.0.1:4173/", token: "made-at-random" });
    expect(made.err).toContain("not encrypted");
    const given = await serving("serve --host 0.0.0.0 --name a --name b", { TLDMI_TOKEN: "given-by-somebody" });
    expect(given.asked).toMatchObject([{ host: "0.0.0.0", names: ["a", "b"], token: "given-by-somebody" }]);
    expect(given.out + given.err).not.toContain("given-by-somebody");
  });

  test.each(["-1", "65536", "x", "1.5"])("a port of %s is refused", async (port) => {
    expect(await call(`serve --port ${port}`)).toMatchObject({
      code: 2,
      err: expect.stringContaining("from 0 to 65535"),
    });
  });
});
