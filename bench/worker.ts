// One case on this package's side, in a process of its own. Arguments: the case's folder, the number of threads and, where the runtime
// shall write its profile, that file's name without its end.
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
  /** The runtime writes its profile now. */
  release?(): Promise<void>;
}

async function open(spec: ComputeSpec, folder: string, profiling: { readonly profile?: string }): Promise<Timed> {
  const images = join(folder, FILES.images);
  if (spec.kind === "load") return loadJob(spec, images);
  const state = readState(join(folder, FILES.tensors));
  if (spec.kind === "evaluate") return evaluateJob(spec, state, images);
  if (spec.kind === "epoch") return epochJob(spec, state, images, profiling);
  const step = buildStep(spec, state);
  const program = await compile({ ...step, ...profiling });
  return {
    async check() {
      const results = await program.run(step.feeds);
      return step.check?.(results) ?? { loss: results.loss!.data[0]!, norm: step.gradientNorm!() };
    },
    run: () => program.run(step.feeds),
    release: () => program.release(),
  };
}

function readState(path: string): StateDict {
  return decodeSafetensors(readFileSync(path), path).tensors;
}

const say = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);

const [folder, threads, profile] = process.argv.slice(2) as [string, string, string?];
setThreads(Number(threads));
const spec = JSON.parse(readFileSync(join(folder, FILES.spec), "utf8")) as ComputeSpec;
const timed = await open(spec, folder, { ...(profile !== undefined && { profile }) });
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
await timed.release?.();
process.stdout.write(`${JSON.stringify({ peakBytes: peakBytes() })}\n`, () => process.exit(0));
