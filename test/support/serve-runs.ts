import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type IncomingHttpHeaders, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Served, serve } from "../../src/server/index.ts";
import { writeFinishedStudy, writeRunningStudy } from "./fake-runs.ts";

/** What nobody may be answered. */
export const SECRET = "nobody may read this";

/** The command line that a server starts studies with here: it writes down what it was asked. */
export const command = [process.execPath, fileURLToPath(new URL("fake-cli.mjs", import.meta.url))] as const;

/** An answer as it came. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  json<T>(): T;
}

/** How a request differs from a plain one to the server itself. */
export interface Asking {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  readonly to?: Served;
  readonly chunked?: boolean;
}

/** Serves a folder of runs, of which one is finished and one at work, with secrets beside it. */
export async function serveRuns() {
  const root = await mkdtemp(join(tmpdir(), "serve-"));
  // A shell would run what stands in this name.
  const runsDir = join(root, "runs $(touch shell-was-here); touch shell-was-here");
  const webDir = join(root, "web");
  await mkdir(join(webDir, "assets"), { recursive: true });
  await writeFile(join(webDir, "index.html"), "<!doctype html><title>page</title>");
  await writeFile(join(webDir, "assets", "page.js"), "");
  await writeFile(join(root, "secret.png"), SECRET);
  await writeFile(join(root, "run.json"), SECRET);
  await writeFinishedStudy(runsDir, "finished-1");
  await writeRunningStudy(runsDir, "running-1");
  const served = await serve({ runsDir, host: "127.0.0.1", port: 0, command, webDir });

  /** A request as it is written: `path` goes out unchanged, as no browser would send it. */
  function send(path: string, options: Asking = {}): Promise<Answer> {
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

  const close = async () => {
    await served.close();
    await rm(root, { recursive: true });
  };
  return { root, runsDir, webDir, served, send, close };
}
