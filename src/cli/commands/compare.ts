import type { ComparedCells, MetricDifference, RunComparison } from "../../report/compare.ts";
import type { Difference } from "../../report/difference.ts";
import { count, significant } from "../../report/numbers.ts";
import type { Measured } from "../../study/result.ts";
import { numberWithInterval } from "../format.ts";
import type { Cli, Program } from "../globals.ts";
import { printJson } from "../json.ts";
import { table } from "../table.ts";

/** `tldmi compare RUN RUN`: how far two runs differ, and whether their intervals are apart. */
export function addCompare(program: Program, cli: Cli): void {
  program
    .command("compare")
    .description("differences between two runs on the same data and evaluation model, with their intervals")
    .argument("<first>", "folder of a study, or of one of its cells")
    .argument("<second>", "the same; a difference is second − first")
    .action(async (first, second, _options, command) => {
      const { compareRuns } = await cli.modules.decide();
      const comparison = await compareRuns(first, second);
      if (command.optsWithGlobals().json) printJson(cli.io.stdout, comparison);
      else cli.io.stdout.write(inWords(comparison));
    });
}

function inWords({ first, second, differentKeys, pairs, unpaired }: RunComparison): string {
  const settings = differentKeys.length === 0 ? "" : `other settings: ${differentKeys.join(", ")}\n`;
  const alone = (name: string, runs: readonly string[]) => runs.map((run) => `only in ${name}: ${run}\n`).join("");
  const left = alone("the first", unpaired.first) + alone("the second", unpaired.second);
  return `first: ${first}\nsecond: ${second}\n${settings}\n${pairs.map(pairTable).join("\n")}${left === "" ? "" : `\n${left}`}\nBrackets hold 95 % intervals.\n`;
}

function pairTable({ first, second, settings, metrics }: ComparedCells): string {
  const heading = first === second ? first : `${first} → ${second}`;
  const rows = metrics.map((metric) => [
    metric.name,
    numberText(metric.first),
    numberText(metric.second),
    differenceText(metric),
    verdict(metric),
  ]);
  const columns = ["metric", "first", "second", "difference", "second is"].map(
    (title, at) => ({ title, align: at === 0 || at === 4 ? "left" : "right" }) as const,
  );
  return `${heading}${settings.length === 0 ? "" : ` (${settings.join(", ")})`}\n${table(columns, rows)}`;
}

const isExact = ({ low, high }: Difference) => low === high;
/** What was counted has no interval, and no rounding. */
const numberText = (measured: Measured) => (isExact(measured) ? plain(measured.value) : numberWithInterval(measured));
const plain = (value: number) => (Number.isInteger(value) ? count(value) : significant(value));
const signed = (value: number, text = significant) =>
  value > 0 ? `+${text(value)}` : value < 0 ? `−${text(-value)}` : "0";

function verdict({ apart, change, difference }: MetricDifference): string {
  if (apart) return change ?? (isExact(difference) ? "different" : "intervals apart");
  return isExact(difference) ? "the same" : "no difference shown";
}

function differenceText({ difference }: MetricDifference): string {
  const { value, low, high } = difference;
  return isExact(difference) ? signed(value, plain) : `${signed(value)} [${signed(low)}, ${signed(high)}]`;
}
