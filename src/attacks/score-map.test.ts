import { expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { memoryWork, runWithInterruptions } from "../../test/support/memory-work.ts";
import { sameBits } from "../../test/support/same-bits.ts";
import { memorySet } from "../data/memory-set.ts";
import type { Value } from "../engine/graph.ts";
import { input } from "../engine/graph.ts";
import { log, mul } from "../engine/ops/elementwise.ts";
import { random } from "../engine/random.ts";
import { compile, setThreads } from "../engine/runtime.ts";
import type { Work } from "../engine/work.ts";
import { flatten, operation } from "../models/layers.ts";
import type { Model } from "../models/model.ts";
import { idealRows, openScoreMap, ScoreMapSettings, scoreRows, trainScoreMap } from "./score-map.ts";

// Test files share the cores.
setThreads(1);

/** Images of three pixels are what the models see of them: the target says x³/Σx³, the public network sees the pixels. */
const seen = (kind: string, head: (x: Value) => Value): Model => ({
  kind,
  stages: [{ name: "pixels", layer: flatten }],
  head: operation(head),
  features: 3,
  classes: 3,
  input: [1, 1, 3],
});
const target = seen("target", (x) => mul(log(x), 3));
const embedding = { model: seen("public", (x) => x), state: {} };

/** Brightest in one of the three pixels, which add up to one, so that the scores say what the pixels are. */
const pixels = (() => {
  const drawn = random(1, "pixels").uniforms(3 * 200);
  return drawn.map((u, i) => {
    const at = i - (i % 3);
    const [a, b, c] = [0, 1, 2].map((j) => 0.1 + drawn[at + j]!) as [number, number, number];
    return (0.1 + u) / (a + b + c);
  });
})();
const images = memorySet({
  name: "pixels",
  channels: 1,
  height: 1,
  width: 3,
  classes: ["any"],
  labels: new Int32Array(200),
  bytes: Uint8Array.from(pixels, (x) => Math.round(255 * x)),
});

const settings = ScoreMapSettings.parse({ hidden: 16, dropout: 0, epochs: 60, batch: 25, rate: 0.01 });
const train = (work: Work, change: object = {}, own = settings) =>
  trainScoreMap({ settings: own, model: target, state: {}, embedding, images, seed: 3, work, ...change });

test("scores are logarithms above zero at length 1; ideal ones are nearly sure of their class", () => {
  const probabilities = Float32Array.of(0.7, 0.2, 0.1, 1, 0, 0);
  const byHand = [[0.7, 0.2, 0.1].map(Math.log), [0, Math.log(1e-18), Math.log(1e-18)]].flatMap((logs) => {
    const row = logs.map((x) => x + 50);
    return row.map((x) => x / Math.hypot(...row));
  });
  expectAllClose(scoreRows(probabilities, 3), byHand);
  const ideal = idealRows(1, 3, 50, random(2));
  const [sure, other] = [byHand[3]!, byHand[4]!];
  for (let i = 0; i < 50; i++) {
    const [a, b, c] = ideal.subarray(3 * i, 3 * i + 3);
    expect(Math.hypot(a!, b!, c!)).toBeCloseTo(1, 5);
    expect(Math.abs(b! - sure)).toBeLessThan(0.05);
    for (const x of [a!, c!]) expect(Math.abs(x - other)).toBeLessThan(0.2);
  }
  expect(new Set(ideal).size).toBeGreaterThan(100);
});

test("learns what the public network sees from the scores alone, and says how many it asked for", async () => {
  const work = memoryWork();
  const learnt = await train(work);
  const map = openScoreMap(settings, 3, embedding, learnt);
  expect(map.asked).toBe(200);
  const count = 5;
  const shown = Float32Array.from(pixels.subarray(0, 3 * count), (x) => Math.round(255 * x) / 255);
  const scores = Float32Array.from(shown, (x, i) => {
    const row = [...shown.subarray(i - (i % 3), i - (i % 3) + 3)];
    return x ** 3 / row.reduce((s, y) => s + y ** 3, 0);
  });
  const rows = input("rows", [count, 3]);
  const program = await compile({ outputs: { guess: map.map(rows), seen: map.embed(input("x", [count, 1, 1, 3])) } });
  const { guess, seen: features } = await program.run({ rows: scoreRows(scores, 3), x: shown });
  expectAllClose(features!.data, shown);
  // A guess at the average pixel would be wrong by 0.28 here.
  expect(Math.max(...shown.map((x) => Math.abs(x - 1 / 3)))).toBeGreaterThan(0.25);
  expectAllClose(guess!.data, shown, { relative: 0, absolute: 0.1 });
  await program.release();
});

test("learns from what the owner answers, not from what the model says", async () => {
  const short = { ...settings, epochs: 2 };
  const asked: number[] = [];
  const uniform = (p: Float32Array) => {
    asked.push(p.length / 3);
    return new Float32Array(p.length).fill(1 / 3);
  };
  const [open, kept] = [memoryWork(), memoryWork()];
  await train(open, {}, short);
  await train(kept, { answers: uniform }, short);
  expect(asked.reduce((a, b) => a + b)).toBe(200);
  expect(kept.rows).not.toEqual(open.rows);
});

test("ends with the same map when it is interrupted and resumed", async () => {
  const short = { ...settings, epochs: 3, dropout: 0.25 };
  const unbroken = await train(memoryWork(), {}, short);
  const { result } = await runWithInterruptions([5, 9], (work) => train(work, {}, short));
  for (const [name, t] of Object.entries(unbroken)) expect(sameBits(result[name]!.data, t.data), name).toBe(true);
});
