import type { Cli, Program } from "../globals.ts";
import { printJson } from "../json.ts";
import { table } from "../table.ts";

/** `tldmi validate STUDY.yaml`: checks the file and the data it names, and shows what a run would do. */
export function addValidate(program: Program, cli: Cli): void {
  program
    .command("validate")
    .description("check a study and show its steps: finished ones, shipped ones, and what is to do")
    .argument("<study>", "study file (YAML)")
    .action(async (studyFile, _options, command) => {
      const { json, runs: runsDir } = command.optsWithGlobals();
      const { planStudy } = await cli.modules.pipeline();
      const steps = await planStudy({ studyFile, runsDir });
      if (json) {
        printJson(cli.io.stdout, { study: studyFile, steps });
        return;
      }
      const rows = steps.map(({ state, name, id }) => [state, name, id]);
      const open = steps.filter(({ state }) => state === "to do" || state === "resumes").length;
      cli.io.stdout.write(table([{ title: "state" }, { title: "step" }, { title: "id" }], rows));
      cli.io.stdout.write(`\n${studyFile} is valid: ${steps.length} steps, ${open} to do\n`);
    });
}
