import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createStore } from "../engine/store.ts";
import { filled } from "../engine/tensor.ts";
import { runLoop } from "../engine/work.ts";
import { rehearseStep } from "./rehearse.ts";
import type { StepContext } from "./step-store.ts";
import { type PlannedStep, planStep } from "./steps/planned.ts";

let dir = "";
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "rehearse-"));
});
afterAll(() => rm(dir, { recursive: true }));

const never = new AbortController().signal;

/** A step of a loop that asks 3 images a step and one more at the end, and takes a hundredth of a second each. */
function asking(kind: string, total: number, asked: { images: number }, taken: number[]): PlannedStep {
  const body = async (context: StepContext) => {
    await runLoop({
      work: {
        ...context,
        ...(context.rehearsal && { rehearsal: { ...context.rehearsal, asked: () => asked.images } }),
      },
      name: "loop",
      total,
      unit: "steps",
      store: createStore({ x: filled([1], 0) }),
      open: async () => async (step) => {
        taken.push(step);
        asked.images += 3;
        await setTimeout(10);
        return {};
      },
    });
    asked.images += 1;
    const queries = { images: asked.images, gradients: 0 };
    await writeFile(join(context.dir, "queries.json"), JSON.stringify(queries));
    await writeFile(join(context.dir, "attack.json"), JSON.stringify({ queries }));
  };
  return planStep(kind, { kind, version: 1, config: {} }, {}, body);
}

const rehearsed = async (kind: string, total: number) => {
  const taken: number[] = [];
  const folder = join(dir, `${kind}-${total}`);
  await mkdir(folder);
  const step = asking(kind, total, { images: 0 }, taken);
  return { taken, ...(await rehearseStep(step, folder, () => folder, never)) };
};

test("takes a few steps all over a loop, and counts the time and the questions of all", async () => {
  const { taken, seconds, queries } = await rehearsed("prior", 1000);
  expect(taken).toEqual([0, 250, 500, 750]);
  expect(queries).toBe(3 * 1000 + 1);
  // A timer is never early; how late it is depends on the machine.
  expect(seconds).toBeGreaterThan(0.99 * 1000 * 0.01);
});

test("takes a short loop as it is", async () => {
  const { taken, queries } = await rehearsed("prior", 3);
  expect(taken).toEqual([0, 1, 2]);
  expect(queries).toBe(3 * 3 + 1);
});

test("an attack's questions are its own, without those of what it rests on", async () => {
  const prior = join(dir, "asked-before");
  await mkdir(prior);
  await writeFile(join(prior, "queries.json"), JSON.stringify({ images: 7, gradients: 0 }));
  const need = asking("prior", 1, { images: 0 }, []);
  const folder = join(dir, "attack");
  await mkdir(folder);
  const attack = { ...asking("attack", 100, { images: 7 }, []), needs: [need] };
  const { queries } = await rehearseStep(attack, folder, () => prior, never);
  expect(queries).toBe(3 * 100 + 1);
});
