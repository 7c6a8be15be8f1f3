import { InvalidArgumentError } from "@commander-js/extra-typings";
import { percentWithInterval } from "../../report/numbers.ts";
import type { UserStudyScore } from "../../report/user-study/score.ts";
import type { Cli, Program } from "../globals.ts";
import { printJson } from "../json.ts";
import { studyFolderOf } from "../study-folder.ts";

function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("expected a whole number.");
  return Number(text);
}

function positive(text: string): number {
  const value = whole(text);
  if (value === 0) throw new InvalidArgumentError("expected at least 1.");
  return value;
}

/** `tldmi user-study make STUDY --out DIR` and `tldmi user-study score DIR ANSWERS…`: what people see in reconstructions. */
export function addUserStudy(program: Program, cli: Cli): void {
  const { io, modules } = cli;
  const parent = program.command("user-study").description("let people compare reconstructions, blind, and score it");
  parent
    .command("make")
    .description("write a page that asks which of two reconstructions looks more like a person, and its key")
    .argument("<study>", "folder of a study that was run with --include-private, or of one of its cells")
    .requiredOption("--out <dir>", "folder of the pack: index.html for participants, key.json for you")
    .option("--attack <name>", "the attack, where the study has several")
    .option("--compare <models...>", "two models, as the report names them; the undefended and the only defended one")
    .option("--questions <n>", "ask of so many identities, drawn by the seed; of all by default", positive)
    .option("--seed <n>", "seed of order, sides and reconstructions", whole, 1)
    .action(async (folder, { out, attack, compare, questions, seed }, command) => {
      const { makeUserStudy } = await modules.userStudy();
      const pack = await makeUserStudy(await studyFolderOf(folder), {
        out,
        seed,
        ...(attack !== undefined && { attack }),
        ...(compare !== undefined && { conditions: compare }),
        ...(questions !== undefined && { questions }),
      });
      if (command.optsWithGlobals().json) printJson(io.stdout, pack);
      else {
        io.stdout.write(
          `${pack.page}\n  for participants: ${pack.questions} questions; it shows private images\n` +
            `${pack.key}\n  for you alone: which image is of ${pack.conditions.join(", which of ")}\n`,
        );
      }
    });
  parent
    .command("score")
    .description("score the files that participants saved")
    .argument("<pack>", "folder of the pack")
    .argument("<answers...>", "files of answers, one a participant")
    .action(async (pack, answers, _options, command) => {
      const { scoreUserStudy } = await modules.userStudy();
      const score = await scoreUserStudy(pack, answers);
      if (command.optsWithGlobals().json) printJson(io.stdout, score);
      else io.stdout.write(inWords(score));
    });
}

function inWords({ conditions, preference, left, participants, attack }: UserStudyScore): string {
  const [first, second] = conditions;
  const shown = preference.low > 0.5 ? first : preference.high < 0.5 ? second : undefined;
  const people = `${participants.length} ${participants.length === 1 ? "participant" : "participants"}`;
  const verdict =
    shown === undefined ? "no difference is shown" : `reconstructions under ${shown} look more like the person`;
  return [
    `${attack}: ${first} against ${second}, ${preference.n} choices of ${people}`,
    `${first} was chosen in ${percentWithInterval(preference, 1)}: ${verdict}`,
    `the image on the left was chosen in ${percentWithInterval(left, 1)}`,
    "",
  ].join("\n");
}
