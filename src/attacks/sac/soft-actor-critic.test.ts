import { describe, expect, test } from "vitest";
import { expectAllClose } from "../../../test/support/all-close.ts";
import { random } from "../../engine/random.ts";
import { compile, setThreads } from "../../engine/runtime.ts";
import { createStore, type Store } from "../../engine/store.ts";
import { softActorCritic } from "./soft-actor-critic.ts";

// Test files share the cores.
setThreads(1);

const OPTIONS = {
  agents: 2,
  state: 3,
  action: 2,
  hidden: 8,
  batch: 4,
  rate: 1e-2,
  discount: 0.9,
  averaging: 0.1,
  temperature: 0.5,
};

type Feeds = Record<string, Float32Array>;

/** Random transitions of so many agents; half of them end an episode. */
function transitions(agents: number, { batch, state, action } = OPTIONS, seed = 5): Feeds {
  const rng = random(seed, "transitions");
  return {
    states: rng.normals(agents * batch * state),
    actions: rng.normals(agents * batch * action).map(Math.tanh),
    rewards: rng.normals(agents * batch),
    nextStates: rng.normals(agents * batch * state),
    noise: rng.normals(agents * batch * action),
    nextNoise: rng.normals(agents * batch * action),
    unfinished: Float32Array.from({ length: agents * batch }, (_, i) => i % 2),
  };
}

/** One agent's numbers of arrays whose first axis is the agents. */
const agentOf = (feeds: Feeds, agent: number, agents: number): Feeds =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, x]) => {
      const length = x.length / agents;
      return [name, x.slice(agent * length, (agent + 1) * length)];
    }),
  );

async function stepped(change: Partial<typeof OPTIONS>, seeds: readonly number[], feeds: Feeds, steps = 1) {
  const sac = softActorCritic({ ...OPTIONS, ...change });
  const store = createStore(sac.start(seeds));
  const before = store.snapshot();
  const program = await compile({ ...sac.learning, store });
  let losses: Record<string, number> = {};
  for (let i = 0; i < steps; i++) {
    const result = await program.run(feeds);
    losses = Object.fromEntries(Object.entries(result).map(([name, t]) => [name, t.data[0]!]));
  }
  await program.release();
  return { store, before, losses };
}

/** A perceptron's output for one row by loops, of one agent's weights. */
function perceptron(
  get: (name: string) => Float32Array,
  name: string,
  sizes: readonly number[],
  x: number[],
): number[] {
  return sizes.slice(1).reduce((row, out, layer) => {
    const [w, b] = [get(`${name}.${layer}.weight`), get(`${name}.${layer}.bias`)];
    const y = Array.from({ length: out }, (_, o) => row.reduce((s, v, i) => s + v * w[i * out + o]!, b[o]!));
    return layer === sizes.length - 2 ? y : y.map((v) => Math.max(0, v));
  }, x);
}

test("the critics' loss is as by hand: the smaller target critic, less the entropy's cost, where the episode goes on", async () => {
  const { agents: _, ...one } = OPTIONS;
  const feeds = transitions(1);
  // Some steps first, so that critics, their targets and the temperature differ.
  const { store } = await stepped({ agents: 1 }, [7], transitions(1, OPTIONS, 6), 5);
  const state = store.snapshot();
  const sac = softActorCritic({ ...OPTIONS, agents: 1 });
  const program = await compile({ outputs: sac.learning.outputs, store });
  const { critic } = await program.run(feeds);
  const get = (name: string) => state[name]!.data;
  const row = (name: string, i: number, length: number) => [...feeds[name]!.slice(i * length, (i + 1) * length)];
  const q = (prefix: string, s: number[], a: number[]) =>
    [1, 2].map((n) => perceptron(get, `${prefix}critic${n}`, [5, 8, 8, 1], [...s, ...a])[0]!);
  const heat = Math.exp(get("logTemperature")[0]!);
  expect(heat).not.toBeCloseTo(one.temperature, 3);
  let loss = 0;
  for (let i = 0; i < one.batch; i++) {
    const next = row("nextStates", i, one.state);
    const out = perceptron(get, "actor", [3, 8, 8, 4], next);
    const e = row("nextNoise", i, one.action);
    const u = e.map((x, j) => out[j]! + Math.exp(out[one.action + j]!) * x);
    const log = e.reduce((s, x, j) => {
      const gaussian = -0.5 * x * x - out[one.action + j]! - 0.5 * Math.log(2 * Math.PI);
      return s + gaussian - Math.log(1 - Math.tanh(u[j]!) ** 2);
    }, 0);
    const soft = Math.min(...q("target/", next, u.map(Math.tanh))) - heat * log;
    const goal = feeds.rewards![i]! + one.discount * feeds.unfinished![i]! * soft;
    for (const value of q("", row("states", i, one.state), row("actions", i, one.action)))
      loss += (0.5 * (value - goal) ** 2) / one.batch;
  }
  expectAllClose(critic!.data, [loss], { relative: 1e-4 });
  await program.release();
});

test("agents side by side learn as each does alone", async () => {
  const feeds = transitions(2);
  const both = (await stepped({}, [1, 2], feeds, 3)).store.snapshot();
  for (const agent of [0, 1]) {
    const alone = (await stepped({ agents: 1 }, [agent + 1], agentOf(feeds, agent, 2), 3)).store.snapshot();
    for (const [name, t] of Object.entries(alone)) {
      if (t.shape.length === 0) continue;
      const length = both[name]!.data.length / 2;
      const mine = both[name]!.data.subarray(agent * length, (agent + 1) * length);
      expectAllClose(mine, t.data, { relative: 1e-4, absolute: 1e-5 }, `${name} of agent ${agent}`);
    }
  }
});

test("target networks follow the critics by the averaging's share", async () => {
  const { store, before } = await stepped({}, [1, 2], transitions(2));
  const names = Object.keys(before).filter((name) => name.startsWith("target/"));
  expect(names.length).toBe(12);
  for (const name of names) {
    const critic = store.get(name.slice("target/".length)).data;
    const wanted = before[name]!.data.map((x, i) => 0.9 * x + 0.1 * critic[i]!);
    expectAllClose(store.get(name).data, wanted, { relative: 1e-5, absolute: 1e-7 }, name);
  }
});

describe("the temperature", () => {
  const heat = (store: Store) => store.get("logTemperature").data[0]!;
  /** The policy's log σ at the start, through the last layer's bias. */
  const afterwards = async (logDeviation: number) => {
    const sac = softActorCritic({ ...OPTIONS, agents: 1 });
    const store = createStore(sac.start([3]));
    const bias = store.get("actor.2.bias").data;
    bias.fill(0, 0, OPTIONS.action);
    bias.fill(logDeviation, OPTIONS.action);
    store.get("actor.2.weight").data.fill(0);
    const program = await compile({ ...sac.learning, store });
    await program.run(transitions(1));
    await program.release();
    return heat(store);
  };

  test("rises where the policy's entropy is below its goal, and falls where it is above", async () => {
    // −1 a number is the entropy of a Gaussian with σ = 0.09.
    expect(await afterwards(-5)).toBeGreaterThan(Math.log(OPTIONS.temperature));
    expect(await afterwards(-0.7)).toBeLessThan(Math.log(OPTIONS.temperature));
  });
});

test("episodes of one step need neither next states nor target networks", async () => {
  const { nextStates, nextNoise, unfinished, ...feeds } = transitions(2);
  const { store, losses } = await stepped({ discount: 0 }, [1, 2], feeds);
  expect(store.names().filter((name) => name.startsWith("target/"))).toEqual([]);
  expect(losses.critic).toBeGreaterThan(0);
});

test("learns where the reward lies, each agent its own", async () => {
  // The reward falls with the square of the distance from a point of the agent's.
  const goals = [
    [0.6, -0.3],
    [-0.5, 0.4],
  ];
  const sizes = { ...OPTIONS, discount: 0, hidden: 32, batch: 32, rate: 5e-3, temperature: 0.1 };
  const sac = softActorCritic(sizes);
  const store = createStore(sac.start([1, 2]));
  const learn = await compile({ ...sac.learning, store });
  const act = await compile({ outputs: { actions: sac.act(sizes.batch) }, store });
  const count = 2 * sizes.batch;
  const distances = (actions: ArrayLike<number>) =>
    Float32Array.from({ length: count }, (_, i) => {
      const goal = goals[Math.floor(i / sizes.batch)]!;
      return Math.hypot(actions[2 * i]! - goal[0]!, actions[2 * i + 1]! - goal[1]!);
    });
  const distance: number[] = [];
  for (let step = 0; step < 400; step++) {
    const rng = random(9, step);
    const states = rng.normals(count * sizes.state);
    const taken = await act.run({ states, noise: rng.normals(count * sizes.action) });
    const actions = Float32Array.from(taken.actions!.data);
    const apart = distances(actions);
    distance.push(Math.max(...[0, 1].map((a) => apart.slice(a * 32, a * 32 + 32).reduce((s, d) => s + d / 32, 0))));
    await learn.run({ states, actions, rewards: apart.map((d) => -10 * d * d), noise: rng.normals(count * 2) });
  }
  await learn.release();
  await act.release();
  expect(distance[0]!).toBeGreaterThan(0.6);
  expect(distance.at(-1)!).toBeLessThan(0.25);
});
