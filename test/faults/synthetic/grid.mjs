// The grid of synthetic steps: the package's own dispatcher. At its end it checks everything that the store holds and prints what it found.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { endingOf } from "../../../dist/cli/errors.js";
import { interruptible } from "../../../dist/cli/interrupt.js";
import { openBullmqQueue } from "../../../dist/cluster/bullmq-queue.js";
import { dispatch } from "../../../dist/cluster/dispatch.js";
import { folderStore } from "../../../dist/cluster/folder-store.js";
import { gridPath } from "../../../dist/cluster/grid-folder.js";
import { queueAddress } from "../../../dist/cluster/queue-address.js";
import { verifyStore } from "../../../dist/study/assets.js";
import { takeLock } from "../../../dist/study/lock.js";
import { stepFolder } from "../../../dist/study/step-record.js";
import { COMPUTED, expected, GRID, OUTPUT, settings, syntheticPlan } from "./plan.mjs";

const { runsDir, url, cells, milliseconds, lease } = settings();
const { steps, ends } = syntheticPlan({ cells, milliseconds, runsDir });
const runs = folderStore(runsDir);
const store = join(runsDir, "steps");
const io = { stderr: process.stderr, signals: process, exitNow: (code) => process.exit(code) };
try {
  const began = performance.now();
  const queue = await openBullmqQueue({ address: queueAddress(url), name: await runs.queueName(), lease });
  const lock = await takeLock(`${gridPath(runsDir, GRID)}.lock`, `the grid ${GRID}`);
  const events = (event) => process.stderr.write(`${JSON.stringify(event)}\n`);
  const failed = [];
  try {
    await runs.writeGrid(GRID, "{}\n");
    events({ type: "study-started", study: GRID, cells, steps: steps.length });
    await interruptible(io, (signal) =>
      dispatch({
        queue,
        steps,
        waves: [ends],
        finished: runs.finished,
        grid: GRID,
        priority: 100,
        events,
        signal,
        look: 1000,
        outcome: { failed: (_step, message) => failed.push(message), ended: () => {} },
      }),
    );
  } finally {
    await runs.endGrid(GRID);
    await lock.free();
    await queue.close();
  }
  const seconds = (performance.now() - began) / 1000;
  const missing = steps.filter(({ spec }) => !existsSync(join(store, stepFolder(spec))));
  const wrong = steps.filter((step) => {
    const file = join(store, stepFolder(step.spec), OUTPUT);
    const log = join(store, stepFolder(step.spec), "metrics.jsonl");
    return (
      existsSync(file) &&
      (readFileSync(file, "utf8") !== expected(step) || readFileSync(log, "utf8").split("\n").length !== 6)
    );
  });
  const { damaged } = await verifyStore(store);
  const names = readdirSync(store);
  const computed = readFileSync(join(runsDir, COMPUTED), "utf8").trim().split("\n");
  process.stdout.write(
    `${JSON.stringify({
      steps: steps.length,
      failed,
      missing: missing.length,
      wrong: wrong.length,
      damaged: damaged.length,
      // A worker killed between a step's final name and the removal of its lock leaves that: nobody asks for it again.
      left: names.filter((name) => !/-[0-9a-f]{16}$/.test(name) && !names.includes(name.replace(/\.lock$/, ""))),
      twice: computed.length - new Set(computed).size,
      seconds,
    })}\n`,
  );
  process.exit(0);
} catch (error) {
  const { message, exitCode } = endingOf(error);
  process.stderr.write(`${message}\n`);
  process.exit(exitCode);
}
