import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import { call, ended, failed, nowhere, study, withRun } from "../../../test/support/cli-call.ts";
import type { Modules } from "../modules.ts";

describe("over many machines", () => {
  test("a grid gets its address from the environment, and ends as a run does", async () => {
    const seen: unknown[] = [];
    const modules: Modules = {
      ...withRun(nowhere),
      grid: async () => ({
        runGrid: async ({ events: _, signal: __, ...rest }) => {
          seen.push(rest);
          return { result: { ...study, failed: [failed] }, studyDir: "s" };
        },
      }),
    };
    const env = { TLDMI_QUEUE: "redis://h" };
    const { code, out } = await call("grid q.yaml --threads 2 --runs out --json", modules, new EventEmitter(), env);
    expect(code).toBe(4);
    expect(JSON.parse(out)).toMatchObject({ name: "quick", failed: [failed] });
    const given = { studyFile: "q.yaml", runsDir: "out", queue: "redis://h", priority: 100, lease: 30, threads: 2 };
    expect(seen).toEqual([{ ...given, includePrivate: false }]);
  });

  test("a worker that is asked to stop says how many steps it did, and leaves as interrupted", async () => {
    const modules: Modules = { ...ended, worker: async () => ({ runWorker: async () => ({ steps: 3 }) }) };
    const { code, out } = await call("worker --queue redis://h --json", modules);
    expect([code, JSON.parse(out)]).toEqual([130, { steps: 3 }]);
  });

  test("workers compute side by side; one worker is a run without them", async () => {
    const asked: unknown[] = [];
    const modules: Modules = {
      ...ended,
      sideBySide: async () => ({
        runSideBySide: async ({ events: _, signal: __, ...options }) => {
          asked.push(options);
          throw new Error("far enough");
        },
      }),
    };
    await call("run q.yaml --workers 3 --threads 8 --runs r --records k", modules);
    expect(asked).toEqual([
      { studyFile: "q.yaml", runsDir: "r", includePrivate: false, threads: 8, recordsDir: "k", workers: 3 },
    ]);
    await call("run q.yaml --workers 1", modules);
    expect(asked).toHaveLength(1);
    expect(await call("run q.yaml --workers 2 --shard 1/8", modules)).toMatchObject({
      code: 2,
      err: expect.stringContaining("start several shards, or give --workers alone"),
    });
  });

  test("a shard says what it did and what comes next", async () => {
    const result = { schemaVersion: 1, study: "quick", shard: "2/8", cells: 5, of: 40, failed: [failed] } as const;
    const modules: Modules = { ...ended, shard: async () => ({ runShard: async () => ({ result, studyDir: "s" }) }) };
    const { code, out } = await call("run q.yaml --shard 2/8", modules);
    expect(code).toBe(4);
    expect(out).toBe(
      "failed: none, gmi, seed 1: loss is NaN\nshard 2/8: 4 of its 5 cells are computed, of 40 in all\nwhen all shards have ended: tldmi run q.yaml\n",
    );
  });

  test("a manifest for Kubernetes needs an image and a volume", async () => {
    const modules: Modules = {
      ...ended,
      schedulers: async () => ({ slurmScript: async () => "#!/bin/sh\n", kubernetesManifest: nowhere }),
    };
    expect(await call("grid q.yaml --emit kubernetes --image i", modules)).toMatchObject({
      code: 2,
      err: expect.stringContaining("also name a container image (--image) and a shared volume's claim (--claim)"),
    });
    expect(await call("grid q.yaml --emit slurm", modules)).toMatchObject({ code: 0, out: "#!/bin/sh\n" });
  });
});
