import { Argument } from "@commander-js/extra-typings";
import type { Cli, Program } from "../globals.ts";
import { printJson } from "../json.ts";
import { LISTS } from "../modules.ts";
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
        const { described } = await import("../described.ts");
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
