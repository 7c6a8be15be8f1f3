import { expect, test } from "vitest";
import type { TrainSpec } from "../../bench/case.ts";
import { prepare } from "../../bench/prepare.ts";
import { buildStep } from "../../bench/steps/index.ts";
import { compile, type Program } from "../../src/engine/runtime.ts";
import { collect } from "../support/collect.ts";

// What the runtime holds lies outside of the garbage collector's reach: a tensor that a step does not give back is lost until the
// process ends. Each step here updates some 4 MB of weights and slots, so that one lost copy of them in each of 200 steps would take
// 800 MB; what allocators keep for themselves stays far below the bound.

const WARM_UP = 40;
const STEPS = 200;
const MEGABYTE = 2 ** 20;
const BOUND = 96 * MEGABYTE;

const spec: TrainSpec = {
  kind: "train",
  model: "resnet10",
  width: 20,
  side: 8,
  classes: 4,
  boundary: null,
  batch: 2,
};

/** Bytes by which resident memory, and arrays outside of the heap, have grown over `steps` steps after a warm-up. */
async function growth(step: () => Promise<unknown>, steps: number): Promise<{ resident: number; arrays: number }> {
  for (let i = 0; i < WARM_UP; i++) await step();
  await collect();
  const before = process.memoryUsage();
  for (let i = 0; i < steps; i++) await step();
  await collect();
  const after = process.memoryUsage();
  return { resident: after.rss - before.rss, arrays: after.arrayBuffers - before.arrayBuffers };
}

async function compiled(): Promise<{ program: Program; take: () => Promise<unknown>; handled: number }> {
  const step = buildStep(spec, prepare(spec));
  const program = await compile(step);
  const handled = Object.keys(step.updates).reduce((sum, name) => sum + step.store.get(name).data.byteLength, 0);
  return { program, take: () => program.run(step.feeds), handled };
}

test("200 training steps do not make the process grow", async () => {
  const { program, take, handled } = await compiled();
  // The bound can tell: what 200 steps handle is many times as much.
  expect(handled * STEPS).toBeGreaterThan(5 * BOUND);
  const { resident, arrays } = await growth(take, STEPS);
  await program.release();
  expect(arrays).toBeLessThan(BOUND);
  expect(resident).toBeLessThan(BOUND);
});

test("the measurement sees a step that keeps what it was given", async () => {
  const { program, take, handled } = await compiled();
  const kept: Uint8Array[] = [];
  const leaking = async () => {
    await take();
    kept.push(new Uint8Array(handled).fill(1));
  };
  const { resident, arrays } = await growth(leaking, 40);
  await program.release();
  expect(kept.length).toBe(WARM_UP + 40);
  expect(arrays).toBeGreaterThan(39 * handled);
  expect(resident).toBeGreaterThan(BOUND);
});
