import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { writeFileAtomic } from "../../engine/atomic-file.ts";
import { ANNOTATIONS, annotate } from "../annotate.ts";
import { EXIT } from "../errors.ts";
import { gateTable } from "../gate-table.ts";
import type { Cli, Program } from "../globals.ts";
import { colorsFor } from "../io.ts";
import { printJson } from "../json.ts";

type Bounds = Readonly<Record<string, number>>;

/** Reads `NAME=NUMBER` beside those before it. @throws InvalidArgumentError for another form, or a name given twice. */
function bound(text: string, before: Bounds | undefined): Bounds {
  const [, name = "", number = ""] = /^([^=]+)=([^=]+)$/.exec(text) ?? [];
  const limit = Number(number);
  if (name === "" || number.trim() === "" || !Number.isFinite(limit))
    throw new InvalidArgumentError("expected NAME=NUMBER, such as attack.top1=0.3.");
  if (before !== undefined && Object.hasOwn(before, name))
    throw new InvalidArgumentError(`${name} has a bound already.`);
  return { ...before, [name]: limit };
}

const collect = (text: string, before: string[] | undefined): string[] => [...(before ?? []), text];

/** `tldmi gate RUN --max attack.top1=0.3`: whether a run keeps its bounds; exit code 3 where it does not. */
export function addGate(program: Program, cli: Cli): void {
  program
    .command("gate")
    .description(
      "judge a run by bounds on its metrics, at the unfavourable ends of their intervals; exit code 3 on failure",
    )
    .argument("<run>", "folder of a study, or of one of its cells")
    .option("--max <name=number>", "no interval of this metric may reach above the number; may be repeated", bound)
    .option("--min <name=number>", "no interval of this metric may reach below the number; may be repeated", bound)
    .option("--defense <name>", "judge cells of this defense alone; may be repeated", collect)
    .option("--attack <name>", "judge cells of this attack alone; may be repeated", collect)
    .option("--allow-weak-attack", "accept an attack that does not beat its floors")
    .option("--junit <file>", "also write the verdict as JUnit XML")
    .option("--markdown <file>", "also write the verdict as Markdown")
    .addOption(
      new Option(
        "--annotations <kind>",
        "mark failures in a CI job; by default github where GITHUB_ACTIONS is true",
      ).choices(ANNOTATIONS),
    )
    .addHelpText(
      "after",
      "\nWithout --max and --min, the bounds are those of the study's own gate. Names of metrics: docs/ci.md",
    )
    .action(async (run, { max, min, defense, attack, allowWeakAttack, junit, markdown, annotations }, command) => {
      const { io, modules } = cli;
      const { gateOfRun, gateJunit, gateMarkdown } = await modules.gate();
      const { name, gate } = await gateOfRun(run, {
        ...(max !== undefined && { max }),
        ...(min !== undefined && { min }),
        ...(defense !== undefined && { defenses: defense as [string, ...string[]] }),
        ...(attack !== undefined && { attacks: attack as [string, ...string[]] }),
        ...(allowWeakAttack !== undefined && { allowWeakAttack }),
      });
      if (junit !== undefined) await writeFileAtomic(junit, gateJunit(name, gate));
      if (markdown !== undefined) await writeFileAtomic(markdown, gateMarkdown(name, gate));
      annotate(name, gate, io, annotations);
      const { json, color } = command.optsWithGlobals();
      if (json) printJson(io.stdout, { name, ...gate });
      else io.stdout.write(gateTable(gate, colorsFor(io.stdout, color, io.env)));
      if (!gate.passed) cli.leaveWith(EXIT.gate);
    });
}
