import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type GridWorld, gridWorld } from "../support/grid-world.ts";
import { type NetworkNamespace, openNamespace } from "../support/network-namespace.ts";
import { ENGINES, type Engine, isInstalled, startServer } from "../support/queue-servers.ts";
import { expectCleanStore, expectSameStudy } from "../support/same-study.ts";
import { type Running, tldmi } from "../support/tldmi-process.ts";
import { noteFault } from "./notes.ts";

const CELLS = 12;
/** Milliseconds for which the link is away: ten leases. */
const AWAY = 30_000;
const LEASE = "3";

let world: GridWorld;
let steps = 0;

beforeAll(async () => {
  world = await gridWorld();
  steps = (await readdir(join(world.singleRuns, "steps"))).length;
});
afterAll(() => world?.remove());

/** The ids of the steps that a process says were computed, in order. */
const computedBy = ({ stderr }: Running) =>
  [...stderr().matchAll(/✓ .+ {2}done in .+ {2}(\S+-[0-9a-f]{16})$/gm)].map(([, id]) => id!).sort();

test.for(ENGINES.filter(isInstalled))(
  "%s: the only worker's link is away for 30 s, within a cell",
  async (engine, { skip }) => {
    const network = openNamespace();
    if (network === undefined) return skip("no network namespace may be made here");
    try {
      await cutWithinCell(engine, network);
    } finally {
      network.remove();
    }
  },
);

async function cutWithinCell(engine: Engine, network: NetworkNamespace): Promise<void> {
  const since = performance.now();
  const server = await startServer(engine, network.host);
  const runsDir = await world.runsFolder(engine);
  const shared = ["--runs", runsDir, "--threads", "1", "--verbose"];
  const queue = ["--queue", server.url, "--lease", LEASE];
  const worker = tldmi([...shared, "worker", ...queue], { within: network.within });
  const grid = tldmi([...shared, "grid", world.studyFile, ...queue]);
  try {
    await worker.says(/^gmi on [^\n]*seed \d+$/m);
    network.cut();
    // The step under way comes to its end, since the folder of runs is still there; no other one can reach the worker.
    await setTimeout(AWAY / 2);
    const done = computedBy(worker).length;
    await setTimeout(AWAY / 2);
    expect([computedBy(worker).length, worker.child.exitCode]).toEqual([done, null]);
    expect(done).toBeLessThan(steps);
    network.mend();

    expect(await grid.ended, grid.stderr() + worker.stderr()).toBe(0);
    const [studyDir] = (await readdir(runsDir)).filter((name) => name.startsWith("twelve-"));
    await expectSameStudy(join(runsDir, studyDir!), world.studyDir, CELLS);
    expect(await expectCleanStore(runsDir, world.singleRuns)).toBe(steps);
    // Each step is computed once, and counted once.
    const twice = computedBy(worker).length - new Set(computedBy(worker)).size;
    expect(twice).toBe(0);
    expect(computedBy(grid)).toEqual(computedBy(worker));
    expect(computedBy(worker)).toHaveLength(steps);
    const seconds = (performance.now() - since) / 1000;
    noteFault({
      fault: `${engine}: a worker's link away for ${AWAY / 1000} s`,
      ...{ times: 1, steps, lost: 0, corrupted: 0, twice, seconds },
    });
  } finally {
    for (const { child } of [worker, grid]) child.kill("SIGKILL");
    await Promise.all([worker.ended, grid.ended]);
    await server.remove();
  }
}
