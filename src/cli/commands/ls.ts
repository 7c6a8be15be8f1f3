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
      const rows = members.map(({ kind, summary }) => [kind, summary]);
      cli.io.stdout.write(table([{ title: "kind" }, { title: "summary" }], rows));
    });
}

/** A member's plain facts (kind, summary, paper, access …), and its keys in a study file as a JSON Schema. */
function described(member: Listed): unknown {
  const facts = Object.entries(member).filter(([, value]) => ["string", "number", "boolean"].includes(typeof value));
  const config = member.config && z.toJSONSchema(member.config, { io: "input", unrepresentable: "any" });
  return { ...Object.fromEntries(facts), ...(config === undefined ? {} : { config }) };
}
