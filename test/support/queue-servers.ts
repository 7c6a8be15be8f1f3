import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout } from "node:timers/promises";

/** A server of its own on a spare port of this machine, with its data in a folder of its own. */
export interface QueueServer {
  readonly url: string;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  /** Starts it anew, on the same port and data. */
  start(): Promise<void>;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
}

export const ENGINES = ["redis", "postgres"] as const;
export type Engine = (typeof ENGINES)[number];

const POSTGRES = [...folders("/usr/lib/postgresql").map((v) => join("/usr/lib/postgresql", v, "bin")), ...path()];
const REDIS = [...path(), "/usr/sbin"];

/** Where an engine's server program is; undefined where it isn't installed. */
function program(engine: Engine): string | undefined {
  const [name, at] = engine === "redis" ? ["redis-server", REDIS] : ["initdb", POSTGRES];
  const folder = at.find((dir) => existsSync(join(dir, name)));
  return folder && join(folder, name);
}

/** Whether an engine's server is installed here. */
export function isInstalled(engine: Engine): boolean {
  return program(engine) !== undefined;
}

/**
 * Starts a server without persistence beyond what the engine must have: Redis keeps nothing when it is killed. Whoever reaches `host`,
 * an address of this machine, is let in.
 */
export async function startServer(engine: Engine, host = "127.0.0.1"): Promise<QueueServer> {
  const found = program(engine);
  if (found === undefined) throw new Error(`${engine} is not installed`);
  const dir = mkdtempSync(join(tmpdir(), `tldmi-${engine}-`));
  const port = await sparePort();
  const { url, command, as } = (engine === "redis" ? redis : postgres)(found, dir, host, port);
  let child: ChildProcess | undefined;
  const kill = async () => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const ended = once(running, "exit");
    running.kill("SIGKILL");
    await ended;
  };
  const start = async () => {
    const [file, ...args] = command;
    child = spawn(file!, args, { stdio: "ignore", cwd: dir, ...as });
    for (let tries = 0; tries < 1200; tries++) {
      if (await answers(host, port, engine)) return;
      await setTimeout(100);
    }
    throw new Error(`${engine} did not start`);
  };
  await start();
  return {
    url,
    kill,
    start,
    async remove() {
      await kill();
      // Processes that a killed PostgreSQL leaves behind end a moment later.
      await setTimeout(engine === "postgres" ? 500 : 0);
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

interface Plan {
  readonly url: string;
  readonly command: readonly string[];
  readonly as?: { readonly uid: number; readonly gid: number };
}

function redis(server: string, dir: string, host: string, port: number): Plan {
  const keep = { save: "", appendonly: "no", "maxmemory-policy": "noeviction" };
  const options = { port, bind: host, "protected-mode": "no", ...keep, dir };
  const args = Object.entries(options).flatMap(([key, value]) => [`--${key}`, String(value)]);
  return { url: `redis://${host}:${port}`, command: [server, ...args] };
}

function postgres(initdb: string, dir: string, host: string, port: number): Plan {
  // It refuses to run as root.
  const as = process.getuid?.() === 0 ? { uid: numberOf("-u"), gid: numberOf("-g") } : undefined;
  if (as) chownSync(dir, as.uid, as.gid);
  const data = join(dir, "data");
  const set = { stdio: "ignore", cwd: dir, ...as } as const;
  execFileSync(initdb, ["-D", data, "-U", "tldmi", "--auth=trust", "--encoding=UTF8", "--no-sync"], set);
  appendFileSync(join(data, "pg_hba.conf"), "host all all samenet trust\n");
  const quick = ["-c", "fsync=off", "-c", `listen_addresses=${host}`, "-c", `unix_socket_directories=${dir}`];
  return {
    url: `postgres://tldmi@${host}:${port}/postgres`,
    command: [join(initdb, "../postgres"), "-D", data, "-p", String(port), ...quick],
    ...(as && { as }),
  };
}

function numberOf(which: "-u" | "-g"): number {
  return Number(execFileSync("id", [which, "postgres"], { encoding: "utf8" }));
}

/** Whether a server takes commands, not only connections: PostgreSQL recovers first. */
async function answers(host: string, port: number, engine: Engine): Promise<boolean> {
  const socket = connect(port, host);
  try {
    await once(socket, "connect");
    // PostgreSQL: does it want encryption? It says no by one letter once it is up to it.
    socket.write(engine === "redis" ? "PING\r\n" : Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]));
    const [answer] = (await once(socket, "data")) as [Buffer];
    if (engine === "redis") return answer.toString().startsWith("+PONG");
    return !(await isRecovering(host, port));
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Asks PostgreSQL for a session: while it recovers, it refuses. */
async function isRecovering(host: string, port: number): Promise<boolean> {
  const socket = connect(port, host);
  try {
    const text = Buffer.from("user\0tldmi\0database\0postgres\0\0");
    const head = Buffer.alloc(8);
    head.writeInt32BE(8 + text.length, 0);
    head.writeInt32BE(196608, 4);
    socket.write(Buffer.concat([head, text]));
    const [answer] = (await once(socket, "data")) as [Buffer];
    return answer.toString("latin1", 0, 1) === "E";
  } finally {
    socket.destroy();
  }
}

async function sparePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

function path(): string[] {
  return (process.env.PATH ?? "").split(delimiter);
}

function folders(dir: string): string[] {
  return existsSync(dir) ? readdirSync(dir) : [];
}
