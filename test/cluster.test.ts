import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { verifyStore } from "../src/study/assets.ts";
import { runStudy } from "../src/study/pipeline.ts";
import { runShard } from "../src/study/shard.ts";
import { alone, type GridWorld, gridWorld } from "./support/grid-world.ts";
import { ENGINES, isInstalled, startServer } from "./support/queue-servers.ts";
import { BUCKET, KEY_ID, s3Server } from "./support/s3-server.ts";
import { expectCleanStore, expectSameStudy } from "./support/same-study.ts";
import { type Running, tldmi } from "./support/tldmi-process.ts";

/** Milliseconds: three processes train, beside whatever else this machine does. */
const PATIENCE = 600_000;

let world: GridWorld;

beforeAll(async () => {
  world = await gridWorld();
}, PATIENCE);
afterAll(() => world?.remove());

const expectSameAsSingle = (studyDir: string) => expectSameStudy(studyDir, world.studyDir, 12);
const expectCleanSteps = (runsDir: string) => expectCleanStore(runsDir, world.singleRuns);

/** Which of two workers is first in the midst of an attack, its step begun and not ended, and the other: a queue gives steps to whoever asks. */
async function firstAtAttack(workers: readonly Running[]) {
  const atAttack = async (worker: Running) => {
    await worker.says(/^gmi on [^\n]*seed \d+$/m);
    return worker;
  };
  const victim = await Promise.any(workers.map(atAttack));
  return { victim, other: workers.find((worker) => worker !== victim)! };
}

describe.each(ENGINES)("a grid over %s", (engine) => {
  test.skipIf(!isInstalled(engine))(
    "of twelve cells and two workers, one of them killed within a cell, has the result of a run on one machine",
    async () => {
      const server = await startServer(engine);
      const runsDir = await world.runsFolder(engine);
      const shared = ["--runs", runsDir, "--threads", "1"];
      const queue = ["--queue", server.url, "--lease", "3"];
      const workers = [1, 2].map(() => tldmi([...shared, "worker", ...queue]));
      try {
        const grid = tldmi([...shared, "grid", world.studyFile, ...queue]);
        const { victim, other } = await firstAtAttack(workers);
        victim.child.kill("SIGKILL");
        expect(await grid.ended, grid.stderr()).toBe(0);
        expect(await victim.ended).toBe("SIGKILL");
        expect(grid.stdout()).toMatch(/report: .*index\.html/);
        const [studyDir] = (await readdir(runsDir)).filter((name) => name.startsWith("twelve-"));
        await expectSameAsSingle(join(runsDir, studyDir!));
        await expectCleanSteps(runsDir);
        other.child.kill("SIGINT");
        expect(await other.ended).toBe(130);
      } finally {
        for (const { child } of workers) child.kill("SIGKILL");
        await server.remove();
      }
    },
    PATIENCE,
  );
});

test(
  "two processes of one machine, stopped within a cell and begun anew, have the result of one",
  async () => {
    const runsDir = await world.runsFolder("side-by-side");
    const args = ["--runs", runsDir, "--threads", "2", "run", world.studyFile, "--workers", "2"];
    const stopped = tldmi(args);
    await stopped.says(/\] gmi on [^\n]*seed \d+$/m);
    stopped.child.kill("SIGINT");
    expect(await stopped.ended, stopped.stderr()).toBe(130);
    const steps = join(runsDir, "steps");
    // Nobody is at any step: the processes have ended with the one that began them.
    expect((await readdir(steps)).filter((name) => name.endsWith(".lock"))).toEqual([]);
    const resumed = tldmi(args);
    expect(await resumed.ended, resumed.stderr()).toBe(0);
    expect(resumed.stdout()).toMatch(/report: .*index\.html/);
    const [studyDir] = (await readdir(runsDir)).filter((name) => name.startsWith("twelve-"));
    await expectSameAsSingle(join(runsDir, studyDir!));
    await expectCleanSteps(runsDir);
  },
  PATIENCE,
);

const [engineHere] = ENGINES.filter(isInstalled);

test.skipIf(engineHere === undefined)(
  "a grid over a bucket, whose machines share no folder and one of which is killed, has the result of a run on one machine",
  async () => {
    const [server, bucket] = [await startServer(engineHere!), await s3Server()];
    const env = { ...process.env, AWS_ACCESS_KEY_ID: KEY_ID, AWS_SECRET_ACCESS_KEY: "secret", AWS_REGION: "us-east-1" };
    const store = ["--store", `s3://${BUCKET}/runs`, "--store-endpoint", bucket.endpoint];
    const start = async (name: string, ...args: string[]) =>
      tldmi(
        [
          "--runs",
          await world.runsFolder(name),
          "--threads",
          "1",
          ...args,
          "--queue",
          server.url,
          "--lease",
          "3",
          ...store,
        ],
        { env },
      );
    const workers = [await start("bucket-1", "worker"), await start("bucket-2", "worker")];
    try {
      const grid = await start("bucket-grid", "grid", world.studyFile);
      const { victim, other } = await firstAtAttack(workers);
      victim.child.kill("SIGKILL");
      expect(await grid.ended, grid.stderr()).toBe(0);
      const runsDir = join(world.root, "bucket-grid");
      const [studyDir] = (await readdir(runsDir)).filter((name) => name.startsWith("twelve-"));
      await expectSameAsSingle(join(runsDir, studyDir!));
      expect((await verifyStore(join(runsDir, "steps"))).damaged).toEqual([]);
      const keys = [...bucket.objects.keys()].map((key) => key.replace(/^runs\//, ""));
      const records = keys.flatMap((key) => /^steps\/([^/]+)\.json$/.exec(key)?.[1] ?? []);
      expect(records.sort()).toEqual((await readdir(join(world.singleRuns, "steps"))).sort());
      expect(keys.filter((key) => /^(progress|grids)\//.test(key))).toEqual([]);
      // The grid computed nothing itself.
      expect(grid.stderr()).not.toMatch(/^gmi on /m);
      other.child.kill("SIGINT");
      expect(await other.ended, other.stderr()).toBe(130);
    } finally {
      for (const { child } of workers) child.kill("SIGKILL");
      await Promise.all([server.remove(), bucket.close()]);
    }
  },
  PATIENCE,
);

test("a worker whose bucket is not there, or who may not use it, says so and leaves", async () => {
  const bucket = await s3Server();
  const env = { ...process.env, AWS_ACCESS_KEY_ID: "nobody", AWS_SECRET_ACCESS_KEY: "secret", AWS_REGION: "us-east-1" };
  const worker = (...store: string[]) => tldmi(["worker", "--queue", "redis://127.0.0.1:1", ...store], { env });
  const denied = worker("--store", `s3://${BUCKET}/runs`, "--store-endpoint", bucket.endpoint);
  expect([await denied.ended, denied.stderr()]).toEqual([
    2,
    expect.stringMatching(/^error: s3:[^\n]*the server does not know the access key[^\n]*\n$/),
  ]);
  const homeless = worker("--store-endpoint", bucket.endpoint);
  expect([await homeless.ended, homeless.stderr()]).toEqual([2, expect.stringContaining("also name a bucket")]);
  await bucket.close();
});

test(
  "shards that run side by side share out the cells, and a last run puts the result of one machine together",
  async () => {
    const runsDir = await world.runsFolder("sharded");
    const shards = await Promise.all(
      [1, 2, 3].map((index) => runShard({ ...alone, studyFile: world.studyFile, runsDir, shard: { index, count: 3 } })),
    );
    expect(shards.map(({ result }) => result)).toMatchObject(
      ["1/3", "2/3", "3/3"].map((shard) => ({ shard, cells: 4, of: 12, failed: [] })),
    );
    await expectCleanSteps(runsDir);
    const started: string[] = [];
    const { studyDir } = await runStudy({
      ...alone,
      studyFile: world.studyFile,
      runsDir,
      events: (event) => {
        if (event.type === "step-started") started.push(event.step);
      },
    });
    expect(started).toEqual([]);
    await expectSameAsSingle(studyDir);
  },
  PATIENCE,
);
