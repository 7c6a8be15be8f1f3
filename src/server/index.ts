import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { isIP } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { fileURLToPath } from "node:url";
import { createAdaptorServer } from "@hono/node-server";
import { UserError } from "../engine/errors.ts";
import { createApp } from "./app.ts";
import { confinedTo } from "./confined.ts";
import { type Command, openJobs } from "./jobs.ts";
import { pagePolicy } from "./pages.ts";
import { openRunIndex } from "./run-index.ts";
import { openSessions } from "./sessions.ts";

/** Where the page is served, and to whom. */
export interface ServeOptions {
  /** Made where it is missing. */
  readonly runsDir: string;
  /** Address to listen on: `127.0.0.1`, `::1`, `localhost`; any other one asks for a token. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /**
   * What whoever asks must show; made at random where it is left out and needed: on any address but this machine's own, and under `names`.
   * Elsewhere, asked for where given.
   */
  readonly token?: string;
  /** Further names that the server is called by, with their port where it is not the standard one: behind a proxy. They ask for a token. */
  readonly names?: readonly string[];
  /** Runs the command line; this package's own by default. */
  readonly command?: Command;
  /** Folder of the built page; this package's own by default. */
  readonly webDir?: string;
}

/** A server that listens. */
export interface Served {
  readonly url: string;
  /** What it asks for; undefined where it asks for nothing. */
  readonly token: string | undefined;
  /** Stops the studies that it started, so that they can be resumed, and closes. */
  close(): Promise<void>;
}

const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost"]);
const SHORTEST_TOKEN = 16;

/**
 * Serves the page over a runs folder.
 * @throws UserError where the address cannot be listened on, the token is too short, or the page is not built.
 */
export async function serve(options: ServeOptions): Promise<Served> {
  const { host, names = [] } = options;
  const local = LOOPBACK.has(host.toLowerCase());
  // A name of its own means that others reach it, through a proxy on this machine for instance, whatever it listens on.
  const reached = !local || names.length > 0;
  const token = options.token ?? (reached ? randomBytes(24).toString("base64url") : undefined);
  if (token !== undefined && token.length < SHORTEST_TOKEN)
    throw new UserError(`the token has ${token.length} letters; expected at least ${SHORTEST_TOKEN}`);
  await mkdir(options.runsDir, { recursive: true });
  const runs = await confinedTo(options.runsDir);
  const jobs = openJobs(
    options.command ?? [process.execPath, fileURLToPath(new URL("../cli/main.js", import.meta.url))],
    runs.root,
  );
  // Filled when the port is known; until then nobody is answered.
  const hosts = new Set<string>();
  // Browsers send cookies to every port of a host: a name of its own keeps two servers apart.
  const cookie = `tldmi-${randomBytes(4).toString("hex")}`;
  const app = await createApp({
    runs,
    index: openRunIndex(runs),
    jobs,
    hosts,
    token,
    sessions: openSessions(),
    cookie,
    policy: pagePolicy(),
    webDir: options.webDir ?? fileURLToPath(new URL("../web", import.meta.url)),
  });
  const server = createAdaptorServer({ fetch: app.fetch });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, options)));
    server.listen(options.port, host, resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : options.port;
  for (const name of namesOf(host, local)) for (const form of withPort(name, port)) hosts.add(form);
  for (const name of names) hosts.add(name.toLowerCase());
  return {
    url: `http://${withPort(host, port)[0]}/`,
    token,
    async close() {
      await jobs.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        if ("closeAllConnections" in server) server.closeAllConnections();
      });
    },
  };
}

/** What the server may be called: its address; for all addresses, each that this machine has, and its name. */
function namesOf(host: string, local: boolean): string[] {
  if (local) return [...LOOPBACK];
  if (host !== "0.0.0.0" && host !== "::") return [host];
  const addresses = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
  return [...LOOPBACK, ...addresses, hostname()];
}

/** A name as URLs and Host headers write it, with its port; also without it where it is the standard one. */
function withPort(name: string, port: number): string[] {
  const written = (isIP(name) === 6 ? `[${name}]` : name).toLowerCase();
  return port === 80 ? [`${written}:80`, written] : [`${written}:${port}`];
}

function listenError(error: NodeJS.ErrnoException, { host, port }: ServeOptions): Error {
  const known: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} of ${host} is taken; choose another with --port`,
    EACCES: `port ${port} of ${host} may not be listened on; choose one above 1023 with --port`,
    EADDRNOTAVAIL: `${host} is no address of this machine`,
    ENOTFOUND: `${host} is no address of this machine`,
  };
  const message = known[error.code ?? ""];
  return message === undefined ? error : new UserError(message);
}
