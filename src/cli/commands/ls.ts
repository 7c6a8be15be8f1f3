import { Argument } from "@commander-js/extra-typings";
import { z } from "zod";
import type { Cli, Program } from "../globals.ts";
import { printJson } from "../json.ts";
import { LISTS, type Listed } from "../modules.ts";
import { table } from "../table.ts";

/** `tldmi ls attacks`: what a study file can name, with the keys that each takes. */
export function addLs(program: Program, cli: Cli): void {
  program
    .command("ls")
    .description("list what a study can name")
    .addArgument(new Argument("<what>", "which list").choices(LISTS))
    .action(async (what, _options, command) => {
      const members = await cli.modules.list(what);
      if (command.optsWithGlobals().json) {
        printJson(cli.io.stdout, members.map(described));
        return;
      }
      const presets = members.some(({ quick }) => quick !== undefined);
      const rows = members.map(({ kind, summary, quick }) => [
        kind,
        ...(presets ? [quick ? "quick" : ""] : []),
        summary,
      ]);
      const titles = ["kind", ...(presets ? ["preset"] : []), "summary"];
      cli.io.stdout.write(
        table(
          titles.map((title) => ({ title })),
          rows,
        ),
      );
    });
}

/** A member's plain facts (kind, summary, paper, access …), its keys in a study file as a JSON Schema, and its presets of them. */
function described(member: Listed): unknown {
  const facts = Object.entries(member).filter(([, value]) => ["string", "number", "boolean"].includes(typeof value));
  const config = member.config && z.toJSONSchema(member.config, { io: "input", unrepresentable: "any" });
  const presets = member.quick && { presets: { quick: member.quick } };
  return { ...Object.fromEntries(facts), ...(config === undefined ? {} : { config }), ...presets };
}
