import { InvalidArgumentError } from "@commander-js/extra-typings";
import type { DataReport, FolderReport } from "../../data/check-folders.ts";
import { EXIT } from "../errors.ts";
import type { Cli, Program } from "../globals.ts";
import { printJson } from "../json.ts";
import { table } from "../table.ts";

/** Findings of one kind that are printed; `--json` has all. */
const SHOWN = 5;

/** `tldmi data check FOLDER`: counts, unreadable files, repeated images, classes that are too small, images that are private and public. */
export function addData(program: Program, cli: Cli): void {
  program
    .command("data")
    .description("look at folders of images before a study does")
    .command("check")
    .description("count images, and find what a study would refuse: unreadable, repeated, shared, too few")
    .argument("<folder>", "private images, one directory a class")
    .option("--public <folder>", "the attacker's images, which must show nobody of the private ones")
    .option("--minimum <n>", "images that a private class must have", atLeastThree, 3)
    .action(async (folder, options, command) => {
      const { checkFolders } = await import("../../data/check-folders.ts");
      const { public: others, minimum } = options;
      const report = await checkFolders({ private: folder, ...(others !== undefined && { public: others }), minimum });
      // The global options stand two commands up.
      const { json } = command.optsWithGlobals() as unknown as { json: boolean };
      if (json) printJson(cli.io.stdout, report);
      else cli.io.stdout.write(described(report, minimum));
      if (isRefused(report)) cli.leaveWith(EXIT.usage);
    });
}

/** Repeated images within a folder are told, but a study takes them. */
function isRefused({ private: owned, public: others, shared }: DataReport): boolean {
  const unreadable = owned.unreadable.length + (others?.unreadable.length ?? 0);
  return unreadable + owned.small.length + shared.length > 0;
}

function described(report: DataReport, minimum: number): string {
  const sets = [["private", report.private] as const, ...(report.public ? [["public", report.public] as const] : [])];
  const rows = sets.map(([name, { images, classes, unreadable, repeated, small }]) =>
    [name, images, classes, unreadable.length, repeated.length, small.length].map(String),
  );
  const right = (title: string) => ({ title, align: "right" as const });
  const columns = [
    { title: "" },
    ...["images", "classes", "unreadable", "repeated", `under ${minimum}`].map((title) => right(title)),
  ];
  const findings = sets.flatMap(([, set]) => findingsOf(set));
  const shared = listed("private and public", report.shared, (s) => `${s.private} is ${s.public}`);
  return [table(columns, rows), ...findings, ...shared].join("");
}

function findingsOf({ unreadable, small, repeated }: FolderReport): string[] {
  return [
    ...listed("unreadable", unreadable, ({ reason }) => reason),
    ...listed("too few", small, ({ name, images }) => `${name} has ${images}`),
    ...listed("repeated", repeated, ({ path, as }) => `${path} is ${as}`),
  ];
}

function listed<T>(title: string, list: readonly T[], show: (item: T) => string): string[] {
  const lines = list.slice(0, SHOWN).map((item) => `${title}: ${show(item)}\n`);
  return list.length > SHOWN ? [...lines, `${title}: and ${list.length - SHOWN} more\n`] : lines;
}

function atLeastThree(text: string): number {
  if (!/^\d{1,6}$/.test(text) || Number(text) < 3)
    throw new InvalidArgumentError("expected a whole number of at least 3.");
  return Number(text);
}
