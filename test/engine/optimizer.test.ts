import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { input, parameter } from "../../src/engine/graph.ts";
import { mul, sub } from "../../src/engine/ops/elementwise.ts";
import {
  type AdamOptions,
  adam,
  adamw,
  type OptimizerPlan,
  optimizerState,
  optimizerUpdates,
  sgd,
} from "../../src/engine/optimizer.ts";
import { compile } from "../../src/engine/runtime.ts";
import {
  biasCorrection,
  constantRate,
  cosineRate,
  rampedRate,
  type Schedule,
  steppedRate,
  withWarmup,
} from "../../src/engine/schedule.ts";
import { createStore } from "../../src/engine/store.ts";
import { tensor } from "../../src/engine/tensor.ts";
import { expectAllClose } from "../support/all-close.ts";

interface Run {
  readonly optimizer: "sgd" | "adam" | "adamw";
  readonly options: AdamOptions & { momentum?: number; nesterov?: boolean };
  readonly rate: { kind: string; rate: number; steps: number; floor: number; milestones: number[]; gamma: number };
  readonly rates: readonly number[];
  readonly weights: readonly (readonly number[])[];
}

const golden = JSON.parse(await readFile(new URL("../golden/optimizers.json", import.meta.url), "utf8")) as {
  start: number[];
  target: number[];
  curvature: number[];
  runs: Run[];
};

const optimizers = { sgd, adam, adamw };

function scheduleOf({ kind, rate, steps, floor, milestones, gamma }: Run["rate"]): Schedule {
  if (kind === "cosine") return cosineRate(rate, steps, floor);
  return kind === "stepped" ? steppedRate(rate, milestones, gamma) : constantRate(rate);
}

describe("optimisers agree with PyTorch", () => {
  const named = golden.runs.map((run) => [run.optimizer, JSON.stringify(run.options), run.rate.kind, run] as const);

  test.each(named)("%s %s %s", async (name, _options, _kind, { options, rate, weights }) => {
    const shape = [golden.start.length];
    const w = parameter("w", shape);
    const gradient = mul(sub(w, input("target", shape)), input("curvature", shape));
    const plan: OptimizerPlan = { name: "o", optimizer: optimizers[name](options), rate: scheduleOf(rate) };
    const store = createStore({ w: tensor(golden.start, shape), ...optimizerState(plan, [w]) });
    const program = await compile({ outputs: {}, updates: optimizerUpdates(plan, [w], [gradient]), store });
    const feeds = { target: Float32Array.from(golden.target), curvature: Float32Array.from(golden.curvature) };
    for (const [step, wanted] of weights.entries()) {
      await program.run(feeds);
      expectAllClose(store.get("w").data, wanted, { relative: 1e-5, absolute: 1e-6 }, `weights after step ${step + 1}`);
    }
    expect(store.get("o/step").data[0]).toBe(weights.length);
    await program.release();
  });

  test("two optimisers of one store keep their slots and counters apart", () => {
    const w = parameter("w", [2]);
    const plan = (name: string): OptimizerPlan => ({ name, optimizer: adam(), rate: constantRate(1) });
    const store = createStore({ ...optimizerState(plan("a"), [w]), ...optimizerState(plan("b"), [w]) });
    expect(store.names()).toEqual(["a/step", "a/w/mean", "a/w/square", "b/step", "b/w/mean", "b/w/square"]);
  });
});

describe("schedules", () => {
  async function ratesOf(schedule: Schedule, steps: number): Promise<number[]> {
    const program = await compile({ outputs: { rate: schedule(input("step", [])) } });
    const rates: number[] = [];
    for (let step = 0; step < steps; step++) {
      rates.push((await program.run({ step: Float32Array.of(step) })).rate!.data[0]!);
    }
    await program.release();
    return rates;
  }

  test.each(golden.runs.map((run) => [run.rate.kind, run] as const))("%s rates agree with PyTorch", async (_, run) => {
    expectAllClose(await ratesOf(scheduleOf(run.rate), run.rates.length), run.rates, { relative: 1e-5 });
  });

  test("a cosine stays at its floor after its last step", async () => {
    expectAllClose((await ratesOf(cosineRate(1, 2, 0.25), 5)).slice(2), [0.25, 0.25, 0.25]);
  });

  test("a ramped rate rises over the first steps and falls along half a cosine over the last", async () => {
    const half = (t: number) => 0.5 - 0.5 * Math.cos(Math.PI * t);
    const wanted = [0, 0.5, 1, 1, 1, 1, 1, half(0.75), half(0.5), half(0.25)].map((share) => 2 * share);
    const rates = await ratesOf(rampedRate(2, 10, { up: 0.2, down: 0.4 }), 10);
    expectAllClose(rates, wanted, { relative: 1e-5, absolute: 1e-6 });
  });

  test("a warm-up rises linearly to the schedule's rate and leaves it then", async () => {
    expectAllClose(await ratesOf(withWarmup(constantRate(2), 4), 6), [0.5, 1, 1.5, 2, 2, 2]);
  });

  test("Adam's correction 1 − βᵗ keeps its digits while it is small", async () => {
    const beta = 0.999;
    const wanted = Array.from({ length: 6 }, (_, step) => 1 - beta ** (step + 1));
    expectAllClose(await ratesOf((step) => biasCorrection(beta, step), 6), wanted, { relative: 1e-6, absolute: 0 });
  });
});
