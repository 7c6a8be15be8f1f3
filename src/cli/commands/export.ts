import { UserError } from "../../engine/errors.ts";
import type { Cli, Program } from "../globals.ts";
import { printJson } from "../json.ts";

/** `tldmi export RUN --onnx`: the trained target of a cell as a file that other tools read. */
export function addExport(program: Program, cli: Cli): void {
  program
    .command("export")
    .description("write a cell's trained target as an ONNX model or as safetensors weights")
    .argument("<run>", "run folder of a cell")
    .option("--onnx", "a classifier that any ONNX runtime runs", false)
    .option("--safetensors", "the weights, under the names that PyTorch has for them", false)
    .option("--out <file>", "where to write it; `target.<format>` in the run's artifacts by default")
    .action(async (run, { onnx, safetensors, out }, command) => {
      if (onnx === safetensors) throw new UserError("export: expected one of --onnx and --safetensors");
      const { exportRun } = await cli.modules.exporter();
      const format = onnx ? "onnx" : "safetensors";
      const file = await exportRun(run, { format, ...(out === undefined ? {} : { out }) });
      if (command.optsWithGlobals().json) printJson(cli.io.stdout, { file });
      else cli.io.stdout.write(`${file}\n`);
    });
}
