import type { Cli, Program } from "./globals.ts";

/** The commands that run graphs. The others take `--device` and do nothing with it, as with `--threads`. */
const COMPUTING = new Set(["run", "audit", "defend", "grid", "worker", "validate", "fisher", "frontier"]);

/** Lets every command that computes begin with a trial of the device that `--device` names. */
export function addDeviceTrial(program: Program, cli: Cli): void {
  program.hook("preAction", async (_, action) => {
    const { device } = program.opts();
    // A script for other machines is about their devices.
    const elsewhere = "emit" in action.opts() && action.getOptionValue("emit") !== undefined;
    if (device === "cpu" || elsewhere || !COMPUTING.has(action.name())) return;
    await (await cli.modules.runtime()).setDevice(device);
  });
}
