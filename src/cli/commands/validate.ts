import { availableParallelism } from "node:os";
import { count, duration } from "../../report/numbers.ts";
import { sideBySideSeconds, threadsEach } from "../../study/makespan.ts";
import type { StepPlan } from "../../study/pipeline.ts";
import { type Cli, type GlobalOptions, type Program, positiveWhole } from "../globals.ts";
import { printJson } from "../json.ts";
import { table } from "../table.ts";
import { watched } from "../tell-study.ts";

/** `tldmi validate STUDY.yaml`: checks the file and the data it names, and shows what a run would do and, where asked, take. */
export function addValidate(program: Program, cli: Cli): void {
  program
    .command("validate")
    .description("check a study and show its steps: finished ones, shipped ones, and what is to do")
    .argument("<study>", "study file (YAML)")
    .option(
      "--estimate",
      "also say how long each step takes here, and what it asks the target: some of each is tried",
      false,
    )
    .option("--records <dir>", "folder of cells' records: what only cells with a record rest on is left out")
    .option("--workers <n>", "with --estimate: processes that compute side by side, as of run", positiveWhole, 1)
    .action(async (studyFile, options, command) => {
      const globals = command.optsWithGlobals();
      if (options.estimate) return showEstimate(studyFile, globals, cli);
      const { planStudy } = await cli.modules.pipeline();
      const steps = await planStudy({ studyFile, runsDir: globals.runs, ...recordsOf(options) });
      if (globals.json) {
        printJson(cli.io.stdout, { study: studyFile, steps });
        return;
      }
      const rows = steps.map(({ state, name, id }) => [state, name, id]);
      cli.io.stdout.write(table([{ title: "state" }, { title: "step" }, { title: "id" }], rows));
      cli.io.stdout.write(`\n${studyFile} is valid: ${steps.length} steps, ${open(steps)} to do\n`);
    });
}

/** How many steps are to do. */
const open = (steps: readonly Pick<StepPlan, "state">[]) =>
  steps.filter(({ state }) => state === "to do" || state === "resumes").length;

/** `--records`, where it is given. */
const recordsOf = ({ records }: { records?: string | undefined }) =>
  records === undefined ? {} : { recordsDir: records };

async function showEstimate(
  studyFile: string,
  options: GlobalOptions & { records?: string | undefined; workers: number },
  cli: Cli,
): Promise<void> {
  const { io, modules } = cli;
  const { workers, threads: all = availableParallelism(), runs: runsDir } = options;
  const threads = threadsEach(all, workers);
  const { estimateStudy } = await modules.estimator();
  const steps = await watched({ options, cli }, (events, signal) =>
    estimateStudy({ studyFile, runsDir, threads, events, signal, ...recordsOf(options) }),
  );
  const seconds = sideBySideSeconds(steps, workers);
  const unknown = steps.filter(({ basis }) => typeof basis === "object");
  if (options.json) {
    printJson(io.stdout, { study: studyFile, steps, seconds, unknown: unknown.length });
    return;
  }
  const rows = steps.map(({ state, cost, basis, name, id }) => [
    state,
    cost ? duration(cost.seconds) : typeof basis === "object" ? "?" : "",
    cost?.queries === undefined ? "" : count(cost.queries),
    name,
    id,
  ]);
  const numbers = [
    { title: "time", align: "right" },
    { title: "queries", align: "right" },
  ] as const;
  io.stdout.write(table([{ title: "state" }, ...numbers, { title: "step" }, { title: "id" }], rows));
  for (const { name, basis } of unknown)
    io.stdout.write(`${name}: ${typeof basis === "object" ? basis.unknown : ""}\n`);
  const rest = unknown.length > 0 ? `, and ${unknown.length} of unknown cost` : "";
  const means =
    workers > 1 ? `${workers} workers of ${threads} ${threads === 1 ? "thread" : "threads"}` : `${threads} threads`;
  io.stdout.write(
    `\n${studyFile} is valid: ${steps.length} steps, ${open(steps)} to do, about ${duration(seconds)} with ${means}${rest}\n`,
  );
}
