import { EXIT } from "../errors.ts";
import type { Cli, Program } from "../globals.ts";
import { printJson } from "../json.ts";

/** `tldmi verify RUN`: whether a run's files are still those that it wrote; exit code 3 where they are not. */
export function addVerify(program: Program, cli: Cli): void {
  program
    .command("verify")
    .description("compare a run's files with its manifest; exit code 3 where one is changed or missing")
    .argument("<run>", "folder of a study, or of one of its cells")
    .option("--strict", "fail for files that came later, too", false)
    .action(async (run, { strict }, command) => {
      const { verifyRun } = await cli.modules.verify();
      const verification = await verifyRun(run);
      const { files, changed, missing, extra } = verification;
      const passed = changed.length + missing.length + (strict ? extra.length : 0) === 0;
      if (command.optsWithGlobals().json) printJson(cli.io.stdout, { passed, ...verification });
      else {
        const lines = [
          ...changed.map((path) => `changed  ${path}`),
          ...missing.map((path) => `missing  ${path}`),
          ...extra.map((path) => `extra    ${path}`),
        ];
        const intact = files - changed.length - missing.length;
        const last = `${intact} of ${files} files are as they were written`;
        cli.io.stdout.write([...lines, last, ""].join("\n"));
      }
      if (!passed) cli.leaveWith(EXIT.gate);
    });
}
