import { availableParallelism } from "node:os";
import { join } from "node:path";
import { accessOption, attacksOption, budgetOption } from "../attacker-options.ts";
import { broughtModelCommand, broughtOptions } from "../brought-model.ts";
import type { Cli, Program } from "../globals.ts";
import { printJson } from "../json.ts";
import { resultTable } from "../result-table.ts";
import { tellEnd, watched } from "../tell-study.ts";

/** `tldmi audit --model M --private DIR --public DIR`: attacks a classifier as it is, and says in words what it gives away. */
export function addAudit(program: Program, cli: Cli): void {
  broughtModelCommand(program, "audit", "attack a trained classifier as it is, and say how much it leaks")
    .addOption(accessOption)
    .addOption(attacksOption)
    .addOption(budgetOption)
    .option("--include-private", "show private images in the report beside their reconstructions", false)
    .addHelpText("after", "\nWhat it does and how to read it: docs/audit.md")
    .action(async (given, command) => {
      const options = command.optsWithGlobals();
      const { json, runs: runsDir, threads = availableParallelism() } = options;
      const { access, attacks, budget, includePrivate } = given;
      const { io, modules } = cli;
      const { runAudit, plainName } = await modules.audit();
      const { facts, result, studyDir } = await watched({ options, cli }, (events, signal) =>
        runAudit({
          ...broughtOptions(given),
          access,
          ...(attacks && { attacks }),
          ...(budget !== undefined && { budget }),
          out: given.out ?? join(runsDir, `audit-${plainName(given.model)}`),
          runsDir,
          includePrivate,
          threads,
          events,
          signal,
        }),
      );
      const { auditVerdict, writeAuditResult } = await modules.auditReport();
      const verdict = auditVerdict(facts, result);
      const record = await writeAuditResult(studyDir, facts, result, verdict);
      const report = await (await modules.report()).writeReport(studyDir, { includePrivate });
      if (json) printJson(io.stdout, { ...record, report, study: studyDir });
      else {
        const words = [...verdict.sentences, "", ...verdict.grounds.map((line) => `- ${line}`)].join("\n");
        io.stdout.write(`${resultTable(result)}\n${words}\n\nreport: ${report}\n`);
      }
      cli.leaveWith(tellEnd({ options, cli }, result));
    });
}
