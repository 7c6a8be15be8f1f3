import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import type { StudyResult } from "../../study/result.ts";
import { EXIT } from "../errors.ts";
import { shareWithInterval } from "../format.ts";
import type { Cli, Program } from "../globals.ts";
import { printJson } from "../json.ts";
import { hasScreen, openFile } from "../open-file.ts";
import { table } from "../table.ts";
import { fromHere, jsonResult, watched } from "../tell-study.ts";

/** `tldmi demo`: attacks an undefended and a TL-DMI classifier that come with the package; nothing is trained. */
export function addDemo(program: Program, cli: Cli): void {
  program
    .command("demo")
    .description("attack an undefended and a defended classifier, both already trained, and show what leaks")
    .option("--no-open", "do not open the report; it is only opened from a terminal on a desktop")
    .action(async (_options, command) => {
      const options = command.optsWithGlobals();
      const { json, runs: runsDir, threads = availableParallelism() } = options;
      const { io, modules } = cli;
      if (!options.quiet) io.stderr.write(INTRODUCTION);
      const { demoAssets, demoStudy } = await import("../../study/demo.ts");
      const { runStudy } = await modules.pipeline();
      const study = { studyFile: demoStudy, shipped: [demoAssets], runsDir, includePrivate: false, threads };
      const { result, studyDir } = await watched({ options, cli }, (events, signal) =>
        runStudy({ ...study, events, signal }),
      );
      const { writeReport } = await modules.report();
      const report = await writeReport(studyDir, { includePrivate: false });
      if (json) printJson(io.stdout, jsonResult(result, studyDir, fromHere(report)));
      else io.stdout.write(`${await demoText(result)}\nreport: ${fromHere(report)}\n`);
      if (options.open && hasScreen(io, process.platform)) openFile(resolve(report));
      cli.leaveWith(result.failed.length > 0 ? EXIT.partial : EXIT.done);
    });
}

const INTRODUCTION =
  "Two classifiers know the same 50 drawn people: one trained as usual, one with TL-DMI. The attacker (GMI) has both models'\n" +
  "weights and pictures of other people. It has never seen these 50, and tries to paint 30 of them.\n\n";

const TITLES = ["defense", "natural %", "recognised %", "random samples %", "best start %"];

/** A line a classifier, what the numbers allow to be said, and where to go on. */
async function demoText(result: StudyResult): Promise<string> {
  const columns = TITLES.map((title, at) => ({ title, align: at === 0 ? "left" : "right" }) as const);
  const rows = result.cells.map(({ defense, naturalAccuracy, attackAccuracy, floors }) => [
    defense,
    ...[naturalAccuracy, attackAccuracy, floors.randomPrior, floors.initialSelection].map(shareWithInterval),
  ]);
  const failures = result.failed.map(({ defense, message }) => `failed: ${defense}: ${message}\n`);
  const { sentencesOf, summarize } = await import("../../report/summary.ts");
  const { paragraphs, limits } = summarize(result);
  const said = paragraphs.map((paragraph) => sentencesOf(paragraph).join(" "));
  return [
    table(columns, rows) + failures.join(""),
    "natural: how often the classifier is right on private test images. recognised: how often an independent classifier sees the attacked\n" +
      "person in a reconstruction; random samples and best start are floors, the same without any attack. Brackets: 95 % intervals.\n",
    ...[...said, ...limits].map((text) => `${text}\n`),
    "to train both classifiers yourself: tldmi run examples/quickstart.yaml\n",
  ].join("\n");
}
