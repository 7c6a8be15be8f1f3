import { availableParallelism } from "node:os";
import { join, relative } from "node:path";
import type { EventSink } from "../../study/events.ts";
import type { StudyResult } from "../../study/result.ts";
import { annotate } from "../annotate.ts";
import { EXIT } from "../errors.ts";
import { gateTable } from "../gate-table.ts";
import type { Cli, GlobalOptions, Program } from "../globals.ts";
import { interruptible } from "../interrupt.ts";
import { colorsFor } from "../io.ts";
import { printJson } from "../json.ts";
import { showProgress } from "../progress.ts";
import { resultTable } from "../result-table.ts";

/** `tldmi run STUDY.yaml`: trains, attacks, measures and reports; what is finished is reused, what was killed is resumed. */
export function addRun(program: Program, cli: Cli): void {
  program
    .command("run")
    .description("run a study: train every defense, attack every target, measure, write the report")
    .argument("<study>", "study file (YAML)")
    .option("--include-private", "show private images in the report beside their reconstructions", false)
    .option("--records <dir>", "folder of cells' records: cells that have one are not computed again, others leave one")
    .action(async (studyFile, _options, command) => {
      const options = command.optsWithGlobals();
      cli.leaveWith(await runStudyFile(studyFile, options, cli));
    });
}

async function runStudyFile(
  studyFile: string,
  options: GlobalOptions & { includePrivate: boolean; records?: string | undefined },
  { io, modules }: Cli,
): Promise<number> {
  const colors = colorsFor(io.stderr, options.color, io.env);
  const progress = showProgress({ stream: io.stderr, colors, verbose: options.verbose });
  const events: EventSink = (event) => {
    if (!options.quiet || event.type === "warning") progress.sink(event);
  };
  const { includePrivate, records, threads = availableParallelism(), runs: runsDir } = options;
  const recordsDir = records === undefined ? {} : { recordsDir: records };
  try {
    const { runStudy } = await modules.pipeline();
    const { result, studyDir } = await interruptible(io, (signal) =>
      runStudy({ studyFile, runsDir, includePrivate, ...recordsDir, threads, events, signal }),
    );
    const { writeReport } = await modules.report();
    const report = fromHere(await writeReport(studyDir, { includePrivate }));
    progress.clear();
    if (options.json) printJson(io.stdout, jsonResult(result, studyDir, report));
    else io.stdout.write(`${resultTable(result)}\nreport: ${report}\n`);
    if (result.gate !== undefined) {
      if (!options.json) io.stdout.write(`\n${gateTable(result.gate, colorsFor(io.stdout, options.color, io.env))}`);
      annotate(result.name, result.gate, io);
      if (!result.gate.passed) return EXIT.gate;
    }
    return result.failed.length > 0 ? EXIT.partial : EXIT.done;
  } finally {
    progress.clear();
  }
}

/** The object that `--json` prints. Paths start at the working folder; curves and the resolved file stay in the study's folder. */
function jsonResult({ cells, curves: _, config: __, ...rest }: StudyResult, studyDir: string, report: string): unknown {
  return {
    ...rest,
    cells: cells.map((cell) => ({ ...cell, run: fromHere(join(studyDir, cell.run)) })),
    report,
    study: fromHere(studyDir),
  };
}

function fromHere(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith("..") ? path : short;
}
