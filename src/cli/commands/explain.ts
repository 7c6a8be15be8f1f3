import type { Cli, Program } from "../globals.ts";
import { printJson } from "../json.ts";

/** `tldmi explain RUN`: in words what was attacked, how, what came out, what it means and what it does not. */
export function addExplain(program: Program, cli: Cli): void {
  program
    .command("explain")
    .description("say in words what was attacked, how, what came out, what that means and what it does not")
    .argument("<run>", "folder of a study, or of one of its cells")
    .action(async (run, _options, command) => {
      const { readRun, explainRun } = await cli.modules.decide();
      const parts = explainRun(await readRun(run));
      if (command.optsWithGlobals().json) printJson(cli.io.stdout, parts);
      else {
        const texts = parts.map(
          ({ title, sentences }) => `${title}\n${sentences.map((line) => `- ${line}\n`).join("")}`,
        );
        cli.io.stdout.write(texts.join("\n"));
      }
    });
}
