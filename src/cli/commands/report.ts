import type { Cli, Program } from "../globals.ts";
import { printJson } from "../json.ts";
import { studyFolderOf } from "../study-folder.ts";

/** `tldmi report FOLDER`: builds the report of a finished study again from what is stored. */
export function addReport(program: Program, cli: Cli): void {
  program
    .command("report")
    .description("build a study's report again")
    .argument("<folder>", "folder of a study, or of one of its cells")
    .option(
      "--include-private",
      "show private images beside their reconstructions (the run must have kept them: same option of run)",
      false,
    )
    .action(async (folder, { includePrivate }, command) => {
      const studyDir = await studyFolderOf(folder);
      const { writeReport } = await cli.modules.report();
      const report = await writeReport(studyDir, { includePrivate });
      if (command.optsWithGlobals().json) printJson(cli.io.stdout, { report });
      else cli.io.stdout.write(`${report}\n`);
    });
}
