import { availableParallelism } from "node:os";
import { fixed } from "../../report/numbers.ts";
import { cellInWords } from "../../study/entry-labels.ts";
import type { Frontier, FrontierPoint, FrontierRecord } from "../../study/frontier.ts";
import { EXIT } from "../errors.ts";
import { shareWithInterval } from "../format.ts";
import type { Cli, Program } from "../globals.ts";
import { printJson } from "../json.ts";
import { table } from "../table.ts";
import { watched } from "../tell-study.ts";

/** `tldmi frontier STUDY.yaml`: TL-DMI at every boundary of the study's model, and how near to the best `freeze: auto` comes. */
export function addFrontier(program: Program, cli: Cli): void {
  program
    .command("frontier")
    .description("train and attack the study's model with TL-DMI at every boundary, beside its other defenses")
    .argument("<study>", "study file (YAML)")
    .action(async (studyFile, _options, command) => {
      const options = command.optsWithGlobals();
      const { json, runs: runsDir, threads = availableParallelism() } = options;
      const { io, modules } = cli;
      const { frontierOfStudy } = await modules.frontier();
      const { record, studyDir, file } = await watched({ options, cli }, (events, signal) =>
        frontierOfStudy({
          studyFile,
          runsDir,
          threads,
          events,
          signal,
        }),
      );
      const chart = await (await modules.report()).writeFrontierChart(studyDir, record);
      if (json) printJson(io.stdout, { ...record, file, chart });
      else io.stdout.write(`${frontierText(record)}numbers: ${file}\nchart: ${chart}\n`);
      cli.leaveWith(record.failed.length > 0 ? EXIT.partial : EXIT.done);
    });
}

const TITLES = ["defense", "natural %", "top-1 %", "leaks more, points", ""];

/** A table for each attack and seed, with what the choice of Fisher information is worth; then the cells that failed. */
function frontierText({ frontiers, failed }: FrontierRecord): string {
  const columns = TITLES.map((title, at) => ({ title, align: at % 4 === 0 ? "left" : "right" }) as const);
  const parts = frontiers.map((frontier) => {
    const { attack, seed, undefended, sweep, others, auto, best } = frontier;
    const line = (cell: Pick<FrontierPoint, "label" | "naturalAccuracy" | "attackAccuracy">, ...rest: string[]) => [
      cell.label,
      shareWithInterval(cell.naturalAccuracy),
      shareWithInterval(cell.attackAccuracy),
      ...rest,
    ];
    const marks = ({ boundary }: FrontierPoint) =>
      [...(boundary === best ? ["best"] : []), ...(boundary === auto ? ["auto"] : [])].join(", ");
    const rows = [
      line(undefended, "", ""),
      ...sweep.map((point) => line(point, gapText(point.leaksMore), marks(point))),
      ...others.map((point) => line(point, gapText(point.leaksMore), "")),
    ];
    return `${attack}, seed ${seed}\n${table(columns, rows)}${choiceText(frontier)}\n\n`;
  });
  const failures = failed.map((cell) => `failed: ${cellInWords(cell)}: ${cell.message}\n`);
  return parts.join("") + failures.join("");
}

function choiceText({ auto, best, autoLeaksMore }: Frontier): string {
  if (auto === null) return "freeze: auto chooses no boundary";
  if (best === null || autoLeaksMore === null)
    return `freeze: auto chooses ${auto}; there is no range to compare it over`;
  if (auto === best) return `freeze: auto chooses ${auto}, the best of the sweep`;
  return `freeze: auto chooses ${auto}; at equal natural accuracy it leaks ${gapText(autoLeaksMore)} points more than the best, ${best}`;
}

/** Points of attack accuracy with their interval: `−3.1 [−5.0, −1.2]`. */
function gapText(gap: FrontierPoint["leaksMore"]): string {
  if (gap === null) return "–";
  const points = (share: number) => fixed(100 * share, 1);
  const { value, low, high } = gap.difference;
  return `${points(value)} [${points(low)}, ${points(high)}]`;
}
