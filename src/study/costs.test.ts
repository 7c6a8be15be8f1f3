import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { costKey, meanSeconds, openCostCache } from "./costs.ts";
import { type StepSpec, stepId } from "./step-record.ts";

let dir = "";
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "costs-"));
});
afterAll(() => rm(dir, { recursive: true }));

const target = (seed: number, rate = 0.1, model = "resnet10"): StepSpec => ({
  kind: "target",
  version: 1,
  config: { model: { kind: model }, rate, seed },
  inputs: { train: "hash" },
});
const attack = (on: StepSpec, seed: number): StepSpec => ({
  kind: "attack",
  version: 2,
  config: { kind: "gmi", seed },
  inputs: { target: stepId(on) },
});

test("steps cost the same where they, and what they rest on, differ by seeds and by a target's training alone", () => {
  const targets = [target(1), target(2), target(1, 0.2), target(1, 0.1, "resnet18")];
  const specOf = (id: string) => targets.find((spec) => stepId(spec) === id);
  const [first, second, otherRate, other] = targets.map((on) => attack(on, 7));
  const key = (spec: StepSpec | undefined) => costKey(spec!, specOf);
  expect(key(first)).toBe(key(second));
  expect(key(first)).toBe(key(attack(target(1), 8)));
  expect(key(first)).toBe(key(otherRate));
  expect(key(target(1))).not.toBe(key(target(1, 0.2)));
  expect(key(first)).not.toBe(key(other));
  expect(key({ ...first!, config: { kind: "gmi", iterations: 9 } })).not.toBe(key(first));
  const finished = [
    { id: "a", spec: first!, seconds: 10 },
    { id: "b", spec: second!, seconds: 20 },
    { id: "c", spec: other!, seconds: 99 },
  ];
  expect(meanSeconds(finished, specOf).get(key(first))).toBe(15);
});

test("costs are kept for the number of threads that they were found with", async () => {
  const path = join(dir, "costs.json");
  await (await openCostCache(path, 2)).set("key", { seconds: 3, queries: 5 });
  expect((await openCostCache(path, 2)).get("key")).toEqual({ seconds: 3, queries: 5 });
  expect((await openCostCache(path, 1)).get("key")).toBeUndefined();
  expect(Object.keys(JSON.parse(await readFile(path, "utf8")) as object)).toHaveLength(1);
});

test("a file that cannot be read is begun anew", async () => {
  const path = join(dir, "broken.json");
  await writeFile(path, "{");
  const cache = await openCostCache(path, 2);
  expect(cache.get("key")).toBeUndefined();
  await cache.set("key", { seconds: 1 });
  expect((await openCostCache(path, 2)).get("key")).toEqual({ seconds: 1 });
});
