import { EXIT } from "../errors.ts";
import type { Cli, Program } from "../globals.ts";
import { colorsFor } from "../io.ts";
import { printJson } from "../json.ts";
import { table } from "../table.ts";

/** `tldmi doctor`: whether this machine can run studies, and what is in the way. */
export function addDoctor(program: Program, cli: Cli): void {
  program
    .command("doctor")
    .description(
      "check what a study needs: node, C library, runtime, devices, processors, memory, folders, shipped assets",
    )
    .action(async (_options, command) => {
      const { json, runs: runsDir, color } = command.optsWithGlobals();
      const { runChecks } = await import("../checks.ts");
      const checks = await runChecks({ modules: cli.modules, runsDir });
      const failed = checks.some(({ state }) => state === "fail");
      if (json) printJson(cli.io.stdout, { ok: !failed, checks });
      else {
        const colors = colorsFor(cli.io.stdout, color, cli.io.env);
        const paint = { ok: colors.green, warn: colors.yellow, fail: colors.red };
        const rows = checks.map(({ name, detail }) => [name, detail]);
        const lines = table([{ title: "" }, { title: "" }], rows)
          .trimEnd()
          .split("\n");
        lines.forEach((line, at) => {
          const state = checks[at]?.state ?? "ok";
          cli.io.stdout.write(`${paint[state](state.padEnd(4))}  ${line}\n`);
        });
      }
      if (failed) cli.leaveWith(EXIT.usage);
    });
}
