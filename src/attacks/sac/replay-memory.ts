import type { Rng } from "../../engine/random.ts";
import type { StateDict } from "../../engine/store.ts";
import { tensor } from "../../engine/tensor.ts";

/** What an agent did and what came of it, in one step of all agents: states and actions [agents, …], rewards [agents]. */
export interface Transition {
  readonly states: Float32Array;
  readonly actions: Float32Array;
  readonly rewards: Float32Array;
  /** Whether the episodes go on afterwards. */
  readonly unfinished: boolean;
}

/** Past transitions of agents that act in step, the newest `capacity` of each. */
export interface ReplayMemory {
  add(transition: Transition): void;
  /** Transitions of each agent that are held. */
  size(): number;
  /** `batch` transitions of each agent, [agents, batch, …]; drawn evenly, with repetition, by one draw for all agents. */
  sample(batch: number, rng: Rng): Readonly<Record<"states" | "actions" | "rewards" | "unfinished", Float32Array>>;
  clear(): void;
  /** What is held, for a checkpoint. */
  save(): StateDict;
  load(state: StateDict): void;
}

/** A memory for `agents` agents; `state` and `action` are the lengths of theirs. */
export function replayMemory(agents: number, capacity: number, state: number, action: number): ReplayMemory {
  // A step of all agents is one row, so that what is held is the front of the array.
  const lengths = { states: state, actions: action, rewards: 1 };
  const names = ["states", "actions", "rewards"] as const;
  const held = Object.fromEntries(
    names.map((name) => [name, new Float32Array(capacity * agents * lengths[name])]),
  ) as Record<(typeof names)[number], Float32Array>;
  const unfinished = new Float32Array(capacity);
  let added = 0;
  const size = () => Math.min(added, capacity);
  return {
    size,
    add(transition) {
      const at = added % capacity;
      for (const name of names) held[name].set(transition[name], at * agents * lengths[name]);
      unfinished[at] = transition.unfinished ? 1 : 0;
      added += 1;
    },
    sample(batch, rng) {
      const rows = Array.from({ length: batch }, () => rng.int(size()));
      const taken = (name: (typeof names)[number]) => {
        const length = lengths[name];
        const out = new Float32Array(agents * batch * length);
        for (let agent = 0; agent < agents; agent++)
          for (const [i, row] of rows.entries()) {
            const from = (row * agents + agent) * length;
            out.set(held[name].subarray(from, from + length), (agent * batch + i) * length);
          }
        return out;
      };
      return {
        states: taken("states"),
        actions: taken("actions"),
        rewards: taken("rewards"),
        unfinished: Float32Array.from({ length: agents * batch }, (_, i) => unfinished[rows[i % batch]!]!),
      };
    },
    clear() {
      added = 0;
    },
    save() {
      const front = (data: Float32Array, length: number) => tensor(data.slice(0, size() * length), [size(), length]);
      return {
        "memory/added": tensor([Math.floor(added / 65536), added % 65536], [2]),
        "memory/unfinished": front(unfinished, 1),
        ...Object.fromEntries(names.map((name) => [`memory/${name}`, front(held[name], agents * lengths[name])])),
      };
    },
    load(state) {
      const [high, low] = state["memory/added"]!.data;
      added = high! * 65536 + low!;
      unfinished.set(state["memory/unfinished"]!.data);
      for (const name of names) held[name].set(state[`memory/${name}`]!.data);
    },
  };
}
