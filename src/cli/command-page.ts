import { EventEmitter } from "node:events";
import type { CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { modules } from "./modules.ts";
import { wholeProgram } from "./program.ts";

const INTRO = `# Commands

Every command, argument, option and default, as the program itself declares them. \`tldmi COMMAND --help\` says the same.

Switches are off unless they are given. Results go to stdout, all else to stderr. Exit codes: 0 done, 1 a bug, 2 a mistake in the command or the study, 3 a gate or a
verification failed, 4 some cells failed, 130 interrupted and resumable.

This page is made from the program by \`npm run schema\`.`;

/** The page of all commands as Markdown, tables not yet padded. */
export function commandPage(): string {
  const stream = { write: () => true };
  const io = { stdout: stream, stderr: stream, env: {}, signals: new EventEmitter(), exitNow: () => {} };
  const program = wholeProgram({ io, modules, leaveWith: () => {} });
  const parts = [
    INTRO,
    "## Options of every command",
    "Before or after the command's name.",
    optionTable(program.options),
    ...program.commands.flatMap((command) => section(command, "tldmi", 2)),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** A command, and beneath it those that it has itself. */
function section(command: CommandUnknownOpts, before: string, level: number): string[] {
  const name = `${before} ${command.name()}`;
  const heading = `${"#".repeat(level)} \`${name}\``;
  if (command.commands.length > 0)
    return [heading, sentence(command.description()), ...command.commands.flatMap((c) => section(c, name, level + 1))];
  const call = [name, ...command.registeredArguments.map(argumentName)].join(" ");
  const rows = command.registeredArguments.map((argument) =>
    row([code(argumentName(argument)), choicesIn(argument), argument.required ? "required" : defaultIn(argument)]),
  );
  return [
    heading,
    sentence(command.description()),
    ["```sh", call, "```"].join("\n"),
    ...(rows.length > 0 ? [table("argument", rows)] : []),
    ...(command.options.length > 0 ? [optionTable(command.options)] : []),
  ];
}

const table = (title: string, rows: readonly string[]) =>
  [row([title, "meaning", "default"]), "| --- | --- | --- |", ...rows].join("\n");

const optionTable = (options: readonly Option[]) =>
  table(
    "option",
    options.map((option) =>
      row([code(option.flags), choicesIn(option), option.mandatory ? "required" : defaultIn(option)]),
    ),
  );

type Argument = CommandUnknownOpts["registeredArguments"][number];

function argumentName(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

const choicesIn = ({ description, argChoices }: Option | Argument) =>
  argChoices === undefined ? description : `${description}: ${argChoices.map(code).join(", ")}`;

/** A switch that is off says nothing of its default, nor does one that turns off what is on. */
function defaultIn(choice: Option | Argument): string {
  const value: unknown = choice.defaultValue;
  const off = value === false || ("negate" in choice && choice.negate);
  if (value === undefined || off || (Array.isArray(value) && value.length === 0)) return "–";
  return code(typeof value === "string" ? value : JSON.stringify(value));
}

const code = (text: string) => `\`${text}\``;
const row = (cells: readonly string[]) => `| ${cells.map(escaped).join(" | ")} |`;
/** A bar would end the cell; a `<name>` among words, outside code, would be taken for HTML. */
const escaped = (cell: string) =>
  cell.replaceAll("|", "\\|").replaceAll(/`[^`]*`|</g, (found) => (found === "<" ? "\\<" : found));

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
