import { expect, test } from "vitest";
import { random } from "../../engine/random.ts";
import { replayMemory } from "./replay-memory.ts";

/** Of step t agent a has the state [t, a], the action [10·t + a] and the reward 100·t + a. */
const at = (t: number) => ({
  states: Float32Array.of(t, 0, t, 1),
  actions: Float32Array.of(10 * t, 10 * t + 1),
  rewards: Float32Array.of(100 * t, 100 * t + 1),
  unfinished: t % 2 === 0,
});
const filled = (steps: number) => {
  const memory = replayMemory(2, 4, 2, 1);
  for (let t = 0; t < steps; t++) memory.add(at(t));
  return memory;
};

test("gives each agent its own past, whole transitions, the newest that it has room for", () => {
  const memory = filled(6);
  expect(memory.size()).toBe(4);
  const drawn = memory.sample(64, random(1, "sample"));
  const steps = Array.from({ length: 64 }, (_, i) => drawn.states[2 * i]!);
  expect([...new Set(steps)].sort()).toEqual([2, 3, 4, 5]);
  for (const agent of [0, 1])
    for (const [i, t] of steps.entries()) {
      const row = agent * 64 + i;
      expect([drawn.states[2 * row], drawn.states[2 * row + 1]]).toEqual([t, agent]);
      expect(drawn.actions[row]).toBe(10 * t + agent);
      expect(drawn.rewards[row]).toBe(100 * t + agent);
      expect(drawn.unfinished[row]).toBe(t % 2 === 0 ? 1 : 0);
    }
});

test("goes on from a checkpoint as if it had never stopped, before and after it is full", () => {
  for (const steps of [1, 3, 6, 9]) {
    const [unbroken, resumed] = [filled(steps), replayMemory(2, 4, 2, 1)];
    resumed.load(unbroken.save());
    for (const memory of [unbroken, resumed]) memory.add(at(steps));
    expect(resumed.sample(16, random(2, "sample"))).toEqual(unbroken.sample(16, random(2, "sample")));
  }
});

test("forgets everything", () => {
  const memory = filled(3);
  memory.clear();
  expect(memory.size()).toBe(0);
});
