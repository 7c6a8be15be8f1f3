import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { GRID_STUDY } from "../../test/support/grid-study.ts";
import { kubernetesManifest, slurmScript } from "./schedulers.ts";

let dir = "";
let studyFile = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "it's-"));
  studyFile = join(dir, "My Study.yaml");
  writeFileSync(studyFile, GRID_STUDY.replace("name: twelve", "name: My.Study"));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Puts a program of that name before all others. */
function program(name: string, script: string): void {
  writeFileSync(join(dir, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(dir, name), 0o755);
}

test("the script for SLURM hands in an array of shards and a gathering job that waits for it", async () => {
  const calls = join(dir, "calls");
  // What sbatch gets on its input, it runs with a task's variables, here at once.
  program("sbatch", `echo "sbatch $*" >> "$CALLS"; SLURM_ARRAY_TASK_ID=3 SLURM_CPUS_PER_TASK=2 sh; echo 41`);
  program("npx", 'printf "%s|" "$@" >> "$CALLS"; echo >> "$CALLS"');
  const job = { studyFile, runsDir: join(dir, "runs"), shards: 5, threads: 2, includePrivate: true };
  const script = await slurmScript(job);
  expect(script).toContain("#SBATCH --array=1-5\n#SBATCH --cpus-per-task=2\n");
  const env = { PATH: `${dir}:${process.env.PATH}`, CALLS: calls };
  execFileSync("sh", { input: script, env });
  const call = `tldmi|--runs|${dir}/runs|--threads|2|run|${studyFile}|`;
  expect(readFileSync(calls, "utf8").split("\n")).toEqual([
    "sbatch --parsable",
    `${call}--shard|3/5|`,
    "sbatch --dependency=afterany:41",
    `${call}--include-private|`,
    "",
  ]);
});

test("the manifest for Kubernetes holds the study, an indexed job of its shards, and a suspended job that gathers", async () => {
  const text = await kubernetesManifest({
    studyFile,
    shards: 5,
    includePrivate: false,
    image: "me/tldmi:1",
    claim: "c",
  });
  const [map, shards, gather] = parseAllDocuments(text).map((document) => document.toJS());
  expect(map).toMatchObject({ kind: "ConfigMap", metadata: { name: "tldmi-my-study" } });
  expect(Object.values(map.data)).toEqual([readFileSync(studyFile, "utf8")]);
  expect(shards.spec).toMatchObject({ completionMode: "Indexed", completions: 5, parallelism: 5 });
  const [container] = shards.spec.template.spec.containers;
  const index = { ...process.env, JOB_COMPLETION_INDEX: "4", PATH: `${dir}:${process.env.PATH}` };
  program("npx", 'printf "%s|" "$@"');
  const [sh, ...args] = container.command as string[];
  const called = execFileSync(sh!, args, { env: index, encoding: "utf8" });
  expect(called).toBe("tldmi|--runs|/runs|--threads|4|run|/study/study.yaml|--shard|5/5|");
  expect(gather.spec.suspend).toBe(true);
  expect(gather.spec.template.spec.containers[0].command.at(-1)).toBe("/study/study.yaml");
  expect(gather.spec.template.spec.volumes[1]).toEqual({ name: "runs", persistentVolumeClaim: { claimName: "c" } });
});

test("a device is handed on to every shard, and the processor is not mentioned", async () => {
  const job = { studyFile, shards: 2, includePrivate: false };
  const onCuda = { ...job, device: "cuda" } as const;
  expect(await slurmScript({ ...onCuda, runsDir: dir })).toContain(
    '--threads "$SLURM_CPUS_PER_TASK" --device cuda run ',
  );
  expect(await kubernetesManifest({ ...onCuda, image: "i", claim: "c" })).toContain(
    "--device cuda run /study/study.yaml",
  );
  expect(await slurmScript({ ...job, device: "cpu", runsDir: dir })).not.toContain("--device");
});
