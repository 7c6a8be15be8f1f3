import { availableParallelism } from "node:os";
import { join } from "node:path";
import { UserError } from "../../engine/errors.ts";
import { percent, percentWithInterval } from "../../report/numbers.ts";
import { accessOption, attacksOption, budgetOption } from "../attacker-options.ts";
import { broughtModelCommand, broughtOptions } from "../brought-model.ts";
import type { Cli, Program } from "../globals.ts";
import { printJson } from "../json.ts";
import { resultTable } from "../result-table.ts";
import { tellEnd, watched } from "../tell-study.ts";

/** `tldmi defend --model M --private DIR --public DIR`: a defended classifier as ONNX, with a card that says what is known of it. */
export function addDefend(program: Program, cli: Cli): void {
  broughtModelCommand(
    program,
    "defend",
    "fine-tune a pre-trained classifier on private images with TL-DMI, as ONNX with a model card",
  )
    .option(
      "--freeze <stage>",
      "the last frozen stage (a wrong name lists them), or auto: by Fisher information",
      "auto",
    )
    .option("--audit", "attack the result, and an undefended model beside it", false)
    .addOption(accessOption)
    .addOption(attacksOption)
    .addOption(budgetOption)
    .option("--include-private", "show private images in the report beside their reconstructions", false)
    .addHelpText("after", "\nWhat it does and how to read it: docs/audit.md")
    .action(async (given, command) => {
      const options = command.optsWithGlobals();
      const { json, runs: runsDir, threads = availableParallelism() } = options;
      const { access, attacks, budget, includePrivate, freeze } = given;
      const { io, modules } = cli;
      if (given.settings?.gate !== undefined && !given.audit) {
        throw new UserError("--settings: a gate judges what attacks find: add --audit, or leave gate out");
      }
      const { runDefend, plainName } = await modules.audit();
      const out = given.out ?? join(runsDir, `defend-${plainName(given.model)}`);
      const attacker = { access, ...(attacks && { attacks }), ...(budget !== undefined && { budget }) };
      const facts = await watched({ options, cli }, (events, signal) =>
        runDefend({
          ...broughtOptions(given),
          freeze,
          ...(given.audit && { audit: attacker }),
          out,
          runsDir,
          includePrivate,
          threads,
          events,
          signal,
        }),
      );
      const card = await (await modules.auditReport()).writeModelCard(facts);
      const report = facts.audit && (await (await modules.report()).writeReport(out, { includePrivate }));
      const { onnx, boundary, naturalAccuracy, audit } = facts;
      if (json) printJson(io.stdout, { ...facts, card, ...(report !== undefined && { report }) });
      else {
        const { stage, trainableParameters: trained, frozenParameters: frozen } = boundary;
        const found =
          audit === undefined ? "its leak was not measured: --audit does that\n" : resultTable(audit.result);
        io.stdout.write(
          `${found}frozen up to ${stage}: ${percent(trained / (trained + frozen))} of the parameters saw private images\n` +
            `natural accuracy ${percentWithInterval(naturalAccuracy, 1)}\nmodel: ${onnx}\ncard: ${card}\n` +
            (report === undefined ? "" : `report: ${report}\n`),
        );
      }
      if (audit !== undefined) cli.leaveWith(tellEnd({ options, cli }, audit.result));
    });
}
