// One case on this package's side, in a process of its own. Arguments: the case's folder and the number of threads.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { compile, setThreads } from "../src/engine/runtime.ts";
import { decodeSafetensors } from "../src/engine/safetensors.ts";
import type { StateDict } from "../src/engine/store.ts";
import type { ComputeSpec } from "./case.ts";
import { epochJob } from "./epoch.ts";
import { evaluateJob, loadJob } from "./jobs.ts";
import { peakBytes } from "./peak-memory.ts";
import { type Check, FILES } from "./protocol.ts";
import { buildStep } from "./steps/index.ts";

/** What is timed, and the numbers by which it is checked; checking comes first and counts as a warm-up. */
interface Timed {
  check(): Promise<Check>;
  run(): Promise<unknown>;
}

async function open(spec: ComputeSpec, folder: string): Promise<Timed> {
  const images = join(folder, FILES.images);
  if (spec.kind === "load") return loadJob(spec, images);
  const state = readState(join(folder, FILES.tensors));
  if (spec.kind === "evaluate") return evaluateJob(spec, state, images);
  if (spec.kind === "epoch") return epochJob(spec, state, images);
  const step = buildStep(spec, state);
  const program = await compile(step);
  return {
    async check() {
      const results = await program.run(step.feeds);
      return step.check?.(results) ?? { loss: results.loss!.data[0]!, norm: step.gradientNorm!() };
    },
    run: () => program.run(step.feeds),
  };
}

function readState(path: string): StateDict {
  return decodeSafetensors(readFileSync(path), path).tensors;
}

const say = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);

const [folder, threads] = process.argv.slice(2) as [string, string];
setThreads(Number(threads));
const spec = JSON.parse(readFileSync(join(folder, FILES.spec), "utf8")) as ComputeSpec;
const timed = await open(spec, folder);
say(await timed.check());
for await (const line of createInterface({ input: process.stdin })) {
  const { run: count } = JSON.parse(line) as { run: number };
  const ms: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await timed.run();
    ms.push(performance.now() - start);
  }
  say({ ms });
}
process.stdout.write(`${JSON.stringify({ peakBytes: peakBytes() })}\n`, () => process.exit(0));
