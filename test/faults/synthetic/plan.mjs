// Steps that compute next to nothing, in the shape of a study: targets, attacks on them, evaluations of these.
import { createHash } from "node:crypto";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { Interrupted } from "../../../dist/study/interrupted.js";
import { stepFolder } from "../../../dist/study/step-record.js";
import { planStep } from "../../../dist/study/steps/planned.js";

const PARTS = 5;
const CELLS_A_TARGET = 10;
export const OUTPUT = "output.txt";
/** One line for each body that came to its end. */
export const COMPUTED = "computed.log";

const sha256 = (text) => createHash("sha256").update(text).digest("hex");

/** What a step must have written: it depends on every part, and on what it rests on. */
export function expected(step) {
  let text = sha256([step.name, ...step.needs.map(expected)].join("\n"));
  for (let part = 0; part < PARTS; part++) text = sha256(`${text} ${part}`);
  return text;
}

/** A plan of so many cells; each step takes `milliseconds`, in five parts with a checkpoint after each. */
export function syntheticPlan({ cells, milliseconds, runsDir }) {
  const body = (name) => async (context, dirOf, needs) => {
    const kept = await context.loadCheckpoint("state");
    let state = kept
      ? JSON.parse(Buffer.from(kept).toString())
      : {
          part: 0,
          text: sha256([name, ...needs.map((need) => readFileSync(join(dirOf(need), OUTPUT), "utf8"))].join("\n")),
        };
    while (state.part < PARTS) {
      if (context.signal.aborted) throw new Interrupted(name);
      await setTimeout(milliseconds / PARTS);
      state = { part: state.part + 1, text: sha256(`${state.text} ${state.part}`) };
      await context.log({ part: state.part });
      context.progress({ done: state.part, total: PARTS, unit: "parts" });
      await context.saveCheckpoint("state", Buffer.from(JSON.stringify(state)));
    }
    writeFileSync(join(context.dir, OUTPUT), state.text);
    appendFileSync(join(runsDir, COMPUTED), `${name}\n`);
  };
  const plan = (name, kind, needs) => {
    const work = body(name);
    const role = Object.fromEntries(needs.map((need, at) => [`need${at}`, need]));
    return planStep(name, { kind, version: 1, config: { name, milliseconds } }, role, (context, dirOf) =>
      work(context, dirOf, needs),
    );
  };
  const steps = [];
  const ends = [];
  const start = plan("start", "pretraining", []);
  steps.push(start);
  let target;
  for (let cell = 0; cell < cells; cell++) {
    if (cell % CELLS_A_TARGET === 0) {
      target = plan(`target ${cell / CELLS_A_TARGET}`, "target", [start]);
      steps.push(target);
    }
    const attack = plan(`attack ${cell}`, "attack", [target]);
    const evaluation = plan(`evaluation ${cell}`, "evaluation", [attack, target]);
    steps.push(attack, evaluation);
    ends.push(evaluation);
  }
  return { steps, ends, byFolder: new Map(steps.map((step) => [stepFolder(step.spec), step])) };
}

/** What the processes of one grid share, from the command line. */
export function settings() {
  const [runsDir, url, cells, milliseconds, lease] = process.argv.slice(2);
  return { runsDir, url, cells: Number(cells), milliseconds: Number(milliseconds), lease: Number(lease) };
}
export const GRID = "synthetic";
