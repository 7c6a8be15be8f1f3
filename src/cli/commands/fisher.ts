import { availableParallelism } from "node:os";
import { Option } from "@commander-js/extra-typings";
import { percent, significant } from "../../report/numbers.ts";
import type { FisherRecord } from "../../study/fisher.ts";
import { type Cli, type Program, positiveWhole } from "../globals.ts";
import { interruptible } from "../interrupt.ts";
import { colorsFor } from "../io.ts";
import { printJson } from "../json.ts";
import { showProgress } from "../progress.ts";
import { table } from "../table.ts";

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
    .action(async (run, options, command) => {
      const { json, quiet, verbose, color, threads = availableParallelism() } = command.optsWithGlobals();
      const { referenceCode, labels, identities, points, study } = options;
      const { io, modules } = cli;
      const progress = showProgress({ stream: io.stderr, colors: colorsFor(io.stderr, color, io.env), verbose });
      try {
        const { fisherOfRun } = await modules.fisher();
        const { record, file } = await interruptible(io, (signal) =>
          fisherOfRun({
            run,
            form: referenceCode ? "batch-mean" : "per-example",
            labels,
            identities,
            points,
            ...(study !== undefined && { studyFile: study }),
            threads,
            events: (event) => {
              if (!quiet || event.type === "warning") progress.sink(event);
            },
            signal,
          }),
        );
        const chart = await (await modules.report()).writeFisherChart(run, record);
        progress.clear();
        if (json) printJson(io.stdout, { ...record, file, chart });
        else io.stdout.write(`${stageTable(record)}\nlayers: ${file}\nchart: ${chart}\n`);
      } finally {
        progress.clear();
      }
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
  const cut = boundary === null ? "none: inversion needs no earlier stages than classification" : boundary;
  return `${table(columns, rows)}\nrecommended boundary: ${cut}\n`;
}
