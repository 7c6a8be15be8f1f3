import { versions } from "../study/provenance.ts";
import { addAudit } from "./commands/audit.ts";
import { addCompare } from "./commands/compare.ts";
import { addData } from "./commands/data.ts";
import { addDefend } from "./commands/defend.ts";
import { addDemo } from "./commands/demo.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addExplain } from "./commands/explain.ts";
import { addExport } from "./commands/export.ts";
import { addFisher } from "./commands/fisher.ts";
import { addFrontier } from "./commands/frontier.ts";
import { addGate } from "./commands/gate.ts";
import { addGrid } from "./commands/grid.ts";
import { addLs } from "./commands/ls.ts";
import { addReport } from "./commands/report.ts";
import { addRun } from "./commands/run.ts";
import { addServe } from "./commands/serve.ts";
import { addUserStudy } from "./commands/user-study.ts";
import { addValidate } from "./commands/validate.ts";
import { addVerify } from "./commands/verify.ts";
import { addWorker } from "./commands/worker.ts";
import { addDeviceTrial } from "./device.ts";
import { EXIT, endingOf } from "./errors.ts";
import { type Cli, newProgram, type Program } from "./globals.ts";
import type { CliIo } from "./io.ts";
import type { Modules } from "./modules.ts";

const COMMANDS = [
  addRun,
  addDemo,
  addAudit,
  addDefend,
  addGrid,
  addWorker,
  addValidate,
  addLs,
  addReport,
  addGate,
  addCompare,
  addExplain,
  addVerify,
  addDoctor,
  addExport,
  addData,
  addFisher,
  addFrontier,
  addUserStudy,
  addServe,
];

/** The program with all of its commands. */
export function wholeProgram(cli: Cli): Program {
  const program = newProgram(cli.io, versions().package);
  for (const add of COMMANDS) add(program, cli);
  addDeviceTrial(program, cli);
  return program;
}

/**
 * Runs the command line. Never throws: whatever goes wrong is a message on stderr and an exit code.
 * @param args what follows the program's name
 * @returns the exit code.
 */
export async function runCli(args: readonly string[], io: CliIo, modules: Modules): Promise<number> {
  let exitCode: number = EXIT.done;
  const cli: Cli = {
    io,
    modules,
    leaveWith: (code) => {
      exitCode = code;
    },
  };
  try {
    await wholeProgram(cli).parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    const ending = endingOf(error);
    if (ending.message !== "") io.stderr.write(`${ending.message}\n`);
    return ending.exitCode;
  }
}
