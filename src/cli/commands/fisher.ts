import { availableParallelism } from "node:os";
import { Option } from "@commander-js/extra-typings";
import { percent, significant } from "../../report/numbers.ts";
import type { FisherRecord } from "../../study/fisher.ts";
import { type Cli, type Program, positiveWhole } from "../globals.ts";
import { printJson } from "../json.ts";
import { table } from "../table.ts";
import { watched } from "../tell-study.ts";

/** `tldmi fisher RUN`: which layers classification and inversion depend on, and where that would cut the model. */
export function addFisher(program: Program, cli: Cli): void {
  program
    .command("fisher")
    .description(
      "Fisher information of a cell's target by layer, for classification and for inversion; recommends a boundary",
    )
    .argument("<run>", "run folder of a cell whose attack is white-box")
    .option(
      "--reference-code",
      "square the mean gradient of each batch, as released code does, not each image's",
      false,
    )
    .addOption(
      new Option(
        "--labels <kind>",
        "of the classification task: empirical (the images' own) or true (the model's draws)",
      )
        .choices(["empirical", "true"] as const)
        .default("empirical" as const),
    )
    .option("--identities <n>", "attack the first so many identities again", positiveWhole, 20)
    .option("--points <n>", "look at the attack's images at so many of its iterations", positiveWhole, 10)
    .option("--study <file>", "the study's file, where its data lie in folders relative to it")
    .action(async (run, given, command) => {
      const options = command.optsWithGlobals();
      const { json, threads = availableParallelism(), runs } = options;
      // Where nothing is said, the cell's own record tells where its steps lie.
      const isSaid = command.getOptionValueSourceWithGlobals("runs") !== "default";
      const { referenceCode, labels, identities, points, study } = given;
      const { io, modules } = cli;
      const { fisherOfRun } = await modules.fisher();
      const { record, file } = await watched({ options, cli }, (events, signal) =>
        fisherOfRun({
          run,
          ...(isSaid && { runsDir: runs }),
          form: referenceCode ? "batch-mean" : "per-example",
          labels,
          identities,
          points,
          ...(study !== undefined && { studyFile: study }),
          threads,
          events,
          signal,
        }),
      );
      const chart = await (await modules.report()).writeFisherChart(run, record);
      if (json) printJson(io.stdout, { ...record, file, chart });
      else io.stdout.write(`${stageTable(record)}\nlayers: ${file}\nchart: ${chart}\n`);
    });
}

function stageTable({ stages, boundary }: FisherRecord): string {
  const titles = ["stage", "classification", "inversion", "frozen: classification", "inversion"];
  const rows = stages.map(({ stage, classification, inversion, frozen }) => [
    stage,
    significant(classification),
    significant(inversion),
    percent(frozen.classification),
    percent(frozen.inversion),
  ]);
  const columns = titles.map((title, at) => ({ title, align: at === 0 ? "left" : "right" }) as const);
  const cut = boundary ?? "none: there is no information for inversion";
  return `${table(columns, rows)}\nrecommended boundary: ${cut}\n`;
}
