import { readFile } from "node:fs/promises";
import { stringify } from "yaml";
import type { Device } from "../engine/device.ts";
import { readStudy } from "../study/read-study.ts";

/** What every scheduler is told of a study. */
export interface ShardedJob {
  readonly studyFile: string;
  readonly shards: number;
  /** Threads and processors of a shard. */
  readonly threads?: number;
  /** Where the shards compute; the processor by default. */
  readonly device?: Device;
  readonly includePrivate: boolean;
}

/** Processors of a shard where nothing is said. */
const PROCESSORS = 4;

/**
 * A shell script that hands a study to SLURM: an array job of shards, and a last job that gathers. Paths are those of the machines that
 * compute.
 * @throws UserError for a study that is not valid.
 */
export async function slurmScript(job: ShardedJob & { readonly runsDir: string }): Promise<string> {
  const { studyFile, runsDir, shards, threads = PROCESSORS, includePrivate } = job;
  const on = deviceArgs(job).map((arg) => `${arg} `);
  const { study } = await readStudy(studyFile);
  const call = `npx tldmi --runs ${quoted(runsDir)} --threads "$SLURM_CPUS_PER_TASK" ${on.join("")}run ${quoted(studyFile)}`;
  return `#!/bin/sh
# Runs the study ${study.name} in ${shards} shards, then gathers them. Start it from a folder in which \`npx tldmi\` is found.
# Killed or failed shards go on from their checkpoints when the script is started again.
set -eu

shards=$(sbatch --parsable <<'SHARD'
#!/bin/sh
#SBATCH --job-name=tldmi-${study.name}
#SBATCH --array=1-${shards}
#SBATCH --cpus-per-task=${threads}
#SBATCH --requeue
#SBATCH --output=tldmi-${study.name}-%A-%a.log
exec ${call} --shard "$SLURM_ARRAY_TASK_ID/${shards}"
SHARD
)

sbatch --dependency="afterany:$shards" <<'GATHER'
#!/bin/sh
#SBATCH --job-name=tldmi-${study.name}-gather
#SBATCH --cpus-per-task=${threads}
#SBATCH --output=tldmi-${study.name}-gather.log
exec ${call}${includePrivate ? " --include-private" : ""}
GATHER
`;
}

/**
 * A manifest for Kubernetes: the study in a ConfigMap, and an Indexed Job whose pods are its shards. The volume of `claim` is the folder
 * of runs of all pods. Paths in the study must be absolute: the file lies elsewhere there.
 * @throws UserError for a study that is not valid.
 */
export async function kubernetesManifest(
  job: ShardedJob & { readonly image: string; readonly claim: string },
): Promise<string> {
  const { studyFile, shards, threads = PROCESSORS, includePrivate, image, claim } = job;
  const { study } = await readStudy(studyFile);
  const name = `tldmi-${label(study.name)}`;
  const file = "study.yaml";
  const run = ["tldmi", "--runs", "/runs", "--threads", String(threads), ...deviceArgs(job), "run", `/study/${file}`];
  const pod = {
    image,
    resources: { requests: { cpu: String(threads) } },
    volumeMounts: [
      { name: "study", mountPath: "/study" },
      { name: "runs", mountPath: "/runs" },
    ],
  };
  const volumes = [
    { name: "study", configMap: { name } },
    { name: "runs", persistentVolumeClaim: { claimName: claim } },
  ];
  const shard = ["sh", "-c", `exec npx ${run.join(" ")} --shard $((JOB_COMPLETION_INDEX + 1))/${shards}`];
  const gather = ["npx", ...run, ...(includePrivate ? ["--include-private"] : [])];
  const jobOf = (jobName: string, spec: object, container: object) => ({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: jobName },
    spec: { ...spec, template: { spec: { restartPolicy: "Never", containers: [container], volumes } } },
  });
  const parts = [
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { [file]: await readFile(studyFile, "utf8") } },
    jobOf(
      `${name}-shards`,
      { completionMode: "Indexed", completions: shards, parallelism: shards, backoffLimitPerIndex: 3 },
      { ...pod, name: "shard", command: shard },
    ),
    // Suspended: it is started when the shards have ended.
    jobOf(`${name}-gather`, { suspend: true, backoffLimit: 3 }, { ...pod, name: "gather", command: gather }),
  ];
  const head = `# Runs the study ${study.name} in ${shards} shards, then gathers them:
#   kubectl apply -f THIS_FILE
#   kubectl wait --for=condition=complete --timeout=-1s job/${name}-shards
#   kubectl patch job/${name}-gather --type=merge -p '{"spec":{"suspend":false}}'
`;
  return head + parts.map((part) => stringify(part, { lineWidth: 0 })).join("---\n");
}

function deviceArgs({ device = "cpu" }: ShardedJob): string[] {
  return device === "cpu" ? [] : ["--device", device];
}

/** A name as Kubernetes takes it. */
function label(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 40);
}

/** A word for a shell, whatever is in it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
