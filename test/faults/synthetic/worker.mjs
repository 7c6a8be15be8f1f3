// A worker of a synthetic grid: the package's own, but for the plan.
import { existsSync } from "node:fs";
import { endingOf } from "../../../dist/cli/errors.js";
import { interruptible } from "../../../dist/cli/interrupt.js";
import { openBullmqQueue } from "../../../dist/cluster/bullmq-queue.js";
import { gridPath, queueName } from "../../../dist/cluster/grid-folder.js";
import { queueAddress } from "../../../dist/cluster/queue-address.js";
import { workOn } from "../../../dist/cluster/work-on.js";
import { GRID, settings, syntheticPlan } from "./plan.mjs";

const { runsDir, url, cells, milliseconds, lease } = settings();
const { byFolder: steps } = syntheticPlan({ cells, milliseconds, runsDir });
const io = { stderr: process.stderr, signals: process, exitNow: (code) => process.exit(code) };
try {
  const address = queueAddress(url);
  const queue = await openBullmqQueue({ address, name: await queueName(runsDir), lease });
  const events = (event) => process.stderr.write(`${JSON.stringify(event)}\n`);
  await interruptible(io, (signal) =>
    workOn({
      queue,
      server: address.shown,
      runsDir,
      events,
      signal,
      plan: async (grid) => (existsSync(gridPath(runsDir, grid)) ? { version: GRID, steps } : undefined),
    }),
  );
  process.exit(130);
} catch (error) {
  const { message, exitCode } = endingOf(error);
  process.stderr.write(`${message}\n`);
  process.exit(exitCode);
}
