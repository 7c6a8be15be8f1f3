import { availableParallelism } from "node:os";
import { UserError } from "../../engine/errors.ts";
import { Interrupted } from "../../study/interrupted.ts";
import type { Cli, Program } from "../globals.ts";
import { printJson } from "../json.ts";
import { chosenStore, endpointOption, leaseOption, queueOption, storeOption } from "../queue-options.ts";
import { watched } from "../tell-study.ts";

/** `tldmi worker`: does steps of grids until it is told to end. */
export function addWorker(program: Program, cli: Cli): void {
  program
    .command("worker")
    .description("compute steps of grids that share this --runs, one at a time, until Ctrl-C")
    .addOption(queueOption())
    .addOption(leaseOption())
    .addOption(storeOption())
    .addOption(endpointOption())
    .action(async (own, command) => {
      const { queue, lease } = own;
      const options = command.optsWithGlobals();
      const { runs: runsDir, threads = availableParallelism(), json } = options;
      const { io, modules } = cli;
      const address = queue ?? io.env.TLDMI_QUEUE;
      if (address === undefined) {
        throw new UserError("expected --queue with the address of a Redis or PostgreSQL server");
      }
      const store = chosenStore(own);
      const { runWorker } = await modules.worker();
      const done = await watched({ options, cli }, (events, signal) =>
        runWorker({ runsDir, queue: address, ...store, threads, lease, events, signal }),
      );
      if (json) printJson(io.stdout, done);
      // Ctrl-C is how a worker ends; whoever started it sees that by the code.
      throw new Interrupted("the worker");
    });
}
