import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { random } from "../../src/engine/random.ts";
import { ENGINES, type Engine, isInstalled, type QueueServer, startServer } from "../support/queue-servers.ts";
import { type Running, running } from "../support/tldmi-process.ts";
import { noteFault } from "./notes.ts";

const CLOCK = new URL("./synthetic/jumping-clock.mjs", import.meta.url).href;
const LEASE = 2;

/** What the grid found when it had ended. */
interface Found {
  readonly steps: number;
  readonly failed: readonly string[];
  readonly missing: number;
  readonly wrong: number;
  readonly damaged: number;
  readonly left: readonly string[];
  readonly twice: number;
  readonly seconds: number;
}

/** A grid of synthetic cells with its server, and how to start its processes. */
interface World {
  readonly runsDir: string;
  readonly server: QueueServer;
  grid(): Running;
  worker(env?: Record<string, string>): Running;
}

/**
 * Has `work` in a world of its own and ends whatever is left of it.
 * @param shape how many cells, and the milliseconds of a step
 */
async function inWorld(
  engine: Engine,
  shape: { readonly cells: number; readonly milliseconds: number; readonly runsDir?: string },
  work: (world: World) => Promise<void>,
): Promise<void> {
  const runsDir = shape.runsDir ?? mkdtempSync(join(tmpdir(), "tldmi-faults-"));
  const server = await startServer(engine);
  const started: Running[] = [];
  const start = (file: string, env: Record<string, string> = {}) => {
    const path = fileURLToPath(new URL(`./synthetic/${file}.mjs`, import.meta.url));
    const args = [path, runsDir, server.url, shape.cells, shape.milliseconds, LEASE].map(String);
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
    const process_ = running(child);
    started.push(process_);
    return process_;
  };
  try {
    await work({ runsDir, server, grid: () => start("grid"), worker: (env) => start("worker", env) });
  } finally {
    for (const { child } of started) child.kill("SIGKILL");
    await Promise.all(started.map(({ ended }) => ended));
    await server.remove();
    if (shape.runsDir === undefined) rmSync(runsDir, { recursive: true, force: true });
  }
}

/** Waits for the grid's end and notes what it found: everything there, everything right, nothing left over. */
async function expectAllThere(grid: Running, fault: string, times: number): Promise<Found> {
  expect(await grid.ended, grid.stderr().slice(-2000)).toBe(0);
  const found = JSON.parse(grid.stdout()) as Found;
  const { steps, missing, failed, wrong, damaged, twice, seconds } = found;
  noteFault({ fault, times, steps, lost: missing + failed.length, corrupted: wrong + damaged, twice, seconds });
  expect(found).toMatchObject({ failed: [], missing: 0, wrong: 0, damaged: 0, left: [] });
  return found;
}

/** Waits until so many steps are finished in the store. */
async function finished({ runsDir }: World, grid: Running, count: number): Promise<void> {
  let over = false;
  void grid.ended.then(() => {
    over = true;
  });
  const steps = join(runsDir, "steps");
  const done = () => (existsSync(steps) ? readdirSync(steps).filter((n) => /-[0-9a-f]{16}$/.test(n)).length : 0);
  while (done() < count) {
    if (over && done() < count)
      throw new Error(`the grid ended before ${count} steps were done:\n${grid.stderr().slice(-2000)}`);
    await setTimeout(50);
  }
}

const begins = (kind: string) => new RegExp(`"step-started","step":"${kind}`);

const engines = ENGINES.filter(isInstalled);
const [first = "redis"] = engines;

/** Cells of the large grid; fewer for a quick look. The second engine gets a quarter: all of it together takes less than twenty minutes. */
const CELLS = Number(process.env.FAULT_CELLS ?? 1000);
const large = engines.map((engine, at) => [engine, at === 0 ? CELLS : Math.ceil(CELLS / 4)] as const);

test.each(large)("%s: %i cells and 8 workers, killed at random", async (engine, cells) => {
  await inWorld(engine, { cells, milliseconds: 20 }, async (world) => {
    const rng = random(1, "faults", engine);
    const grid = world.grid();
    const workers = Array.from({ length: 8 }, () => world.worker());
    let over = false;
    void grid.ended.then(() => {
      over = true;
    });
    let kills = 0;
    for (;;) {
      await setTimeout(2000 + 4000 * rng.uniform());
      if (over) break;
      // On a busy machine it takes a worker a while to begin, and only one at work can lose something.
      const at = Math.floor(workers.length * rng.uniform());
      if (!begins("").test(workers[at]!.stderr())) continue;
      workers[at]!.child.kill("SIGKILL");
      workers[at] = world.worker();
      kills++;
    }
    expect(kills).toBeGreaterThan(0);
    await expectAllThere(grid, `${engine}: SIGKILL of a worker, ${cells} cells`, kills);
  });
});

test.each(engines)("%s: the queue's server is killed and comes back, empty where it keeps nothing", async (engine) => {
  await inWorld(engine, { cells: 40, milliseconds: 100 }, async (world) => {
    const grid = world.grid();
    for (let i = 0; i < 3; i++) world.worker();
    for (const count of [8, 30, 60]) {
      await finished(world, grid, count);
      await world.server.kill();
      await setTimeout(500);
      await world.server.start();
    }
    await expectAllThere(grid, `${engine}: SIGKILL of the queue's server`, 3);
  });
});

test("the grid's own process is killed and started again", async () => {
  await inWorld(first, { cells: 40, milliseconds: 50 }, async (world) => {
    for (let i = 0; i < 2; i++) world.worker();
    for (const count of [5, 20, 50]) {
      const killed = world.grid();
      await finished(world, killed, count);
      killed.child.kill("SIGKILL");
      await killed.ended;
    }
    await expectAllThere(world.grid(), "SIGKILL of the grid", 3);
  });
});

test("Ctrl-C at the grid cancels it, and the same command takes it up", async () => {
  await inWorld(first, { cells: 20, milliseconds: 400 }, async (world) => {
    const worker = world.worker();
    const cancelled = world.grid();
    await finished(world, cancelled, 3);
    cancelled.child.kill("SIGINT");
    expect(await cancelled.ended).toBe(130);
    expect(existsSync(join(world.runsDir, "grids", "synthetic.json"))).toBe(false);
    // What the worker was at is the last that it does.
    await setTimeout(5000);
    const before = readdirSync(join(world.runsDir, "steps")).length;
    await setTimeout(2000);
    expect(readdirSync(join(world.runsDir, "steps"))).toHaveLength(before);
    expect(worker.child.exitCode).toBe(null);
    await expectAllThere(world.grid(), "Ctrl-C at the grid", 1);
  });
});

test("Ctrl-C at a worker saves and hands its step on; twice leaves at once", async () => {
  await inWorld(first, { cells: 10, milliseconds: 2000 }, async (world) => {
    const grid = world.grid();
    const once = world.worker();
    // A part is done: what is stopped before has no checkpoint to leave.
    await once.says(/"step-progress","step":"target 0"/);
    once.child.kill("SIGINT");
    expect(await once.ended).toBe(130);
    const twice = world.worker();
    // It goes on from the checkpoint of the first.
    await twice.says(/"step-started","step":"target 0"[^\n]*"resumed":true/);
    await twice.says(begins("attack"));
    twice.child.kill("SIGINT");
    twice.child.kill("SIGINT");
    expect(await twice.ended).toBe(130);
    for (let i = 0; i < 4; i++) world.worker();
    await expectAllThere(grid, "Ctrl-C at a worker, once and twice", 2);
  });
});

test("two grids of one study: the second is refused, the first goes on", async () => {
  await inWorld(first, { cells: 10, milliseconds: 50 }, async (world) => {
    const grid = world.grid();
    await grid.says(/study-started/);
    const second = world.grid();
    expect(await second.ended).toBe(2);
    expect(second.stderr()).toMatch(/error: the grid synthetic is being computed by process \d+/);
    world.worker();
    await expectAllThere(grid, "a second grid of the same study", 1);
  });
});

test("checkpoints are scribbled over while nobody works", async () => {
  await inWorld(first, { cells: 4, milliseconds: 1500 }, async (world) => {
    const grid = world.grid();
    let scribbled = 0;
    for (const kind of ["start", "target", "attack"]) {
      const worker = world.worker();
      await worker.says(begins(kind));
      const steps = join(world.runsDir, "steps");
      const states = () =>
        readdirSync(steps)
          .filter((name) => name.endsWith(".part"))
          .map((name) => join(steps, name, "checkpoint", "state"))
          .filter((file) => existsSync(file));
      while (states().length === 0) await setTimeout(50);
      worker.child.kill("SIGKILL");
      await worker.ended;
      for (const file of states()) {
        const bytes = readFileSync(file);
        bytes[bytes.length - 3]! ^= 4;
        writeFileSync(file, bytes);
        scribbled++;
      }
    }
    const last = world.worker();
    await last.says(/begins anew: [^"]*is no whole checkpoint/);
    await expectAllThere(grid, "a bit turned in a checkpoint", scribbled);
  });
});

test("workers whose clocks jump by days, one of them killed", async () => {
  await inWorld(first, { cells: 20, milliseconds: 200 }, async (world) => {
    const grid = world.grid();
    const [victim] = [0, 1, 2].map(() => world.worker({ NODE_OPTIONS: `--import=${CLOCK}` }));
    await victim!.says(begins("attack"));
    victim!.child.kill("SIGKILL");
    await expectAllThere(grid, "clocks that jump by days", 3);
  });
});

/** Mounts a small file system in memory; undefined where that is not allowed. */
function smallDisk(size: string): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), "tldmi-small-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", dir], { stdio: "ignore" });
    return dir;
  } catch {
    rmSync(dir, { recursive: true });
    return undefined;
  }
}

const remount = (dir: string, options: string) => execFileSync("mount", ["-o", `remount,${options}`, dir]);

test("the shared disk is full, and later larger; read-only, and later not", async ({ skip }) => {
  const disk = smallDisk("400k");
  if (disk === undefined) return skip("no file system may be mounted here");
  const runsDir = join(disk, "runs");
  mkdirSync(runsDir);
  try {
    await inWorld(first, { cells: 30, milliseconds: 50, runsDir }, async (world) => {
      const grid = world.grid();
      const full = [world.worker(), world.worker()];
      for (const worker of full) {
        expect(await worker.ended).toBe(4);
        expect(worker.stderr()).toContain("the disk is full; free some space and run the same command to go on");
      }
      remount(disk, "size=64m");
      remount(disk, "ro");
      const refused = world.worker();
      expect(await refused.ended).toBe(2);
      expect(refused.stderr()).toContain("the file system is read-only");
      remount(disk, "rw");
      world.worker();
      await expectAllThere(grid, "disk full, then read-only", 3);
    });
  } finally {
    execFileSync("umount", ["-l", disk]);
    rmSync(disk, { recursive: true, force: true });
  }
});
