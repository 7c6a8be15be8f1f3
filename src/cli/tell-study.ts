import { join, relative } from "node:path";
import type { EventSink } from "../study/events.ts";
import type { StudyResult } from "../study/result.ts";
import { annotate } from "./annotate.ts";
import { EXIT } from "./errors.ts";
import { gateTable } from "./gate-table.ts";
import type { Cli, GlobalOptions } from "./globals.ts";
import { interruptible } from "./interrupt.ts";
import { colorsFor } from "./io.ts";
import { printJson } from "./json.ts";
import { showProgress } from "./progress.ts";
import { resultTable } from "./result-table.ts";
import { type Followed, followed } from "./tracking-options.ts";

/** Does what computes a study or a part of one, with its progress on stderr. Ctrl-C aborts the signal, a second one leaves at once. */
export async function watched<T>(
  { options, cli: { io } }: { readonly options: GlobalOptions; readonly cli: Cli },
  work: (events: EventSink, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const colors = colorsFor(io.stderr, options.color, io.env);
  const progress = showProgress({ stream: io.stderr, colors, verbose: options.verbose });
  const events: EventSink = (event) => {
    if (!options.quiet || event.type === "warning") progress.sink(event);
  };
  try {
    return await interruptible(io, (signal) => work(events, signal));
  } finally {
    progress.clear();
  }
}

/**
 * Does what runs a study, then writes its report and prints its result and the verdict of its gate.
 * @returns the code to leave with.
 */
export async function tellStudy(
  context: { readonly options: GlobalOptions & Followed & { readonly includePrivate: boolean }; readonly cli: Cli },
  run: (events: EventSink, signal: AbortSignal) => Promise<{ result: StudyResult; studyDir: string }>,
): Promise<number> {
  const { options, cli } = context;
  const { io, modules } = cli;
  const { result, studyDir } = await watched(context, (events, signal) =>
    followed({ cli, tools: options, events }, (sink) => run(sink, signal)),
  );
  const { writeReport } = await modules.report();
  const report = fromHere(await writeReport(studyDir, { includePrivate: options.includePrivate }));
  if (options.json) printJson(io.stdout, jsonResult(result, studyDir, report));
  else io.stdout.write(`${resultTable(result)}\nreport: ${report}\n`);
  return tellEnd(context, result);
}

/**
 * Prints the verdict of a study's gate, where it has one.
 * @returns the code to leave with: a gate that failed says more than cells that did.
 */
export function tellEnd(
  { options, cli: { io } }: { readonly options: GlobalOptions; readonly cli: Cli },
  { name, gate, failed }: StudyResult,
): number {
  if (gate !== undefined) {
    if (!options.json) io.stdout.write(`\n${gateTable(gate, colorsFor(io.stdout, options.color, io.env))}`);
    annotate(name, gate, io);
    if (!gate.passed) return EXIT.gate;
  }
  return failed.length > 0 ? EXIT.partial : EXIT.done;
}

/** The object that `--json` prints. Paths start at the working folder; curves and the resolved file stay in the study's folder. */
export function jsonResult(
  { cells, curves: _, config: __, ...rest }: StudyResult,
  studyDir: string,
  report: string,
): unknown {
  return {
    ...rest,
    cells: cells.map((cell) => ({ ...cell, run: fromHere(join(studyDir, cell.run)) })),
    report,
    study: fromHere(studyDir),
  };
}

/** A path as people at the working folder would name it. */
export function fromHere(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith("..") ? path : short;
}
