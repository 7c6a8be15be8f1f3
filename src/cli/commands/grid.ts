import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { UserError } from "../../engine/errors.ts";
import type { Cli, Program } from "../globals.ts";
import { positiveWhole } from "../globals.ts";
import { chosenStore, endpointOption, leaseOption, queueOption, storeOption } from "../queue-options.ts";
import { tellStudy } from "../tell-study.ts";
import { mlflowOption, tensorboardOption } from "../tracking-options.ts";

const SCHEDULERS = ["slurm", "kubernetes"] as const;

/** `tldmi grid STUDY.yaml`: a study by workers on any number of machines, or a script for a cluster's own scheduler. */
export function addGrid(program: Program, cli: Cli): void {
  program
    .command("grid")
    .description("run a study by workers on many machines (tldmi worker), or write a script for a scheduler")
    .argument("<study>", "study file (YAML)")
    .addOption(queueOption())
    .addOption(leaseOption())
    .addOption(storeOption())
    .addOption(endpointOption())
    .option("--priority <n>", "1 to 1000; of two grids on one queue the lower number goes first", priority, 100)
    .option("--include-private", "show private images in the report beside their reconstructions", false)
    .addOption(tensorboardOption())
    .addOption(mlflowOption())
    .addOption(new Option("--emit <scheduler>", "print a script that runs shards there instead").choices(SCHEDULERS))
    .option("--shards <n>", "with --emit: parts that run side by side", positiveWhole, 8)
    .option("--image <name>", "with --emit kubernetes: container image with tl-dmi in it")
    .option("--claim <name>", "with --emit kubernetes: volume claim that all pods share, for --runs")
    .action(async (studyFile, own, command) => {
      const options = command.optsWithGlobals();
      const { queue, emit, shards, image, claim, priority, lease, includePrivate } = own;
      const { runs: runsDir, threads, device } = options;
      if (emit !== undefined) {
        const { slurmScript, kubernetesManifest } = await cli.modules.schedulers();
        const job = { studyFile, shards, ...(threads !== undefined && { threads }), device, includePrivate };
        if (emit === "slurm") {
          cli.io.stdout.write(await slurmScript({ ...job, studyFile: resolve(studyFile), runsDir: resolve(runsDir) }));
          return;
        }
        if (image === undefined || claim === undefined) {
          throw new UserError(
            "--emit kubernetes: also name a container image (--image) and a shared volume's claim (--claim)",
          );
        }
        cli.io.stdout.write(await kubernetesManifest({ ...job, image, claim }));
        return;
      }
      const address = queue ?? cli.io.env.TLDMI_QUEUE;
      if (address === undefined) {
        throw new UserError("expected --queue with the address of a Redis or PostgreSQL server, or --emit");
      }
      const store = chosenStore(own);
      const { runGrid } = await cli.modules.grid();
      const code = await tellStudy({ options, cli }, (events, signal) =>
        runGrid({
          studyFile,
          runsDir,
          queue: address,
          ...store,
          priority,
          lease,
          includePrivate,
          threads: threads ?? availableParallelism(),
          events,
          signal,
        }),
      );
      cli.leaveWith(code);
    });
}

function priority(text: string): number {
  const value = positiveWhole(text);
  if (value > 1000) throw new InvalidArgumentError("expected a whole number from 1 to 1000.");
  return value;
}
