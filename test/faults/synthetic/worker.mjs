// A worker of a synthetic grid: the package's own, but for the plan.
import { endingOf } from "../../../dist/cli/errors.js";
import { interruptible } from "../../../dist/cli/interrupt.js";
import { openBullmqQueue } from "../../../dist/cluster/bullmq-queue.js";
import { folderStore } from "../../../dist/cluster/folder-store.js";
import { queueAddress } from "../../../dist/cluster/queue-address.js";
import { workOn } from "../../../dist/cluster/work-on.js";
import { GRID, settings, syntheticPlan } from "./plan.mjs";

const { runsDir, url, cells, milliseconds, lease } = settings();
const { byFolder: steps } = syntheticPlan({ cells, milliseconds, runsDir });
const io = { stderr: process.stderr, signals: process, exitNow: (code) => process.exit(code) };
try {
  const address = queueAddress(url);
  const runs = folderStore(runsDir);
  const queue = await openBullmqQueue({ address, name: await runs.queueName(), lease });
  const events = (event) => process.stderr.write(`${JSON.stringify(event)}\n`);
  await interruptible(io, (signal) =>
    workOn({
      queue,
      server: address.shown,
      runs,
      events,
      signal,
      plan: async (grid) => ((await runs.readGrid(grid)) === undefined ? undefined : { version: GRID, steps }),
    }),
  );
  process.exit(130);
} catch (error) {
  const { message, exitCode } = endingOf(error);
  process.stderr.write(`${message}\n`);
  process.exit(exitCode);
}
