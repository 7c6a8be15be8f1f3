import { availableParallelism } from "node:os";
import { InvalidArgumentError } from "@commander-js/extra-typings";
import { UserError } from "../../engine/errors.ts";
import { cellInWords } from "../../study/entry-labels.ts";
import type { Shard } from "../../study/shard.ts";
import { EXIT } from "../errors.ts";
import { type Cli, type GlobalOptions, type Program, positiveWhole } from "../globals.ts";
import { printJson } from "../json.ts";
import { fromHere, tellStudy, watched } from "../tell-study.ts";
import { type Followed, mlflowOption, tensorboardOption } from "../tracking-options.ts";

/** `tldmi run STUDY.yaml`: trains, attacks, measures and reports; what is finished is reused, what was killed is resumed. */
export function addRun(program: Program, cli: Cli): void {
  program
    .command("run")
    .description("run a study: train every defense, attack every target, measure, write the report")
    .argument("<study>", "study file (YAML)")
    .option("--include-private", "show private images in the report beside their reconstructions", false)
    .addOption(tensorboardOption())
    .addOption(mlflowOption())
    .option("--records <dir>", "folder of cells' records: cells that have one are not computed again, others leave one")
    .option(
      "--workers <n>",
      "processes that compute steps side by side, each with its share of --threads; 1 computes one after the other",
      positiveWhole,
      1,
    )
    .option(
      "--shard <i/n>",
      "compute one of n parts of the cells, on machines that share --runs; then run without it",
      shardOf,
    )
    .action(async (studyFile, { shard, workers, tensorboard, mlflow }, command) => {
      if (shard !== undefined && workers > 1) {
        throw new UserError("--shard computes its part in one process: start several shards, or give --workers alone");
      }
      if (shard !== undefined && (tensorboard ?? mlflow) !== undefined) {
        throw new UserError(
          "--tensorboard and --mlflow follow a whole study: give them to the last run, without --shard",
        );
      }
      const options = command.optsWithGlobals();
      cli.leaveWith(
        shard === undefined
          ? await runStudyFile(studyFile, options, cli)
          : await runOneShard(studyFile, options, shard, cli),
      );
    });
}

async function runStudyFile(
  studyFile: string,
  options: GlobalOptions & Followed & { includePrivate: boolean; records?: string | undefined; workers: number },
  cli: Cli,
): Promise<number> {
  const { includePrivate, records, workers, threads = availableParallelism(), runs: runsDir } = options;
  const study = { studyFile, runsDir, includePrivate, threads, ...(records !== undefined && { recordsDir: records }) };
  return tellStudy({ options, cli }, async (events, signal) => {
    if (workers === 1) return (await cli.modules.pipeline()).runStudy({ ...study, events, signal });
    return (await cli.modules.sideBySide()).runSideBySide({ ...study, workers, events, signal });
  });
}

async function runOneShard(studyFile: string, options: GlobalOptions, shard: Shard, cli: Cli): Promise<number> {
  const { threads = availableParallelism(), runs: runsDir, json } = options;
  const { io, modules } = cli;
  const { runShard } = await modules.shard();
  const { result, studyDir } = await watched({ options, cli }, (events, signal) =>
    runShard({ studyFile, runsDir, shard, threads, events, signal }),
  );
  if (json) printJson(io.stdout, { ...result, folder: fromHere(studyDir) });
  else {
    const failures = result.failed.map((cell) => `failed: ${cellInWords(cell)}: ${cell.message}\n`);
    const done = result.cells - result.failed.length;
    io.stdout.write(
      `${failures.join("")}shard ${result.shard}: ${done} of its ${result.cells} cells are computed, of ${result.of} in all\n` +
        `when all shards have ended: tldmi run ${studyFile}\n`,
    );
  }
  return result.failed.length > 0 ? EXIT.partial : EXIT.done;
}

/** Reads `2/8`: the second of eight shards. @throws InvalidArgumentError for anything else. */
function shardOf(text: string): Shard {
  const [, index, count] = /^([1-9]\d{0,5})\/([1-9]\d{0,5})$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (index === undefined || shard.index > shard.count) {
    throw new InvalidArgumentError("expected a shard and how many there are, such as 1/8 … 8/8.");
  }
  return shard;
}
