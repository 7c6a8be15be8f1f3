import { z } from "zod";
import { random, seedFor } from "../engine/random.ts";
import { compile } from "../engine/runtime.ts";
import { createStore } from "../engine/store.ts";
import { filled, tensor } from "../engine/tensor.ts";
import { checkFinite, DivergedError, runLoop } from "../engine/work.ts";
import type { ScoresAccess } from "./access.ts";
import { defineAttack } from "./attack.ts";
import { replayMemory } from "./sac/replay-memory.ts";
import { softActorCritic } from "./sac/soft-actor-critic.ts";
import { labelsOf } from "./selection.ts";
import type { SearchSpace } from "./space.ts";

const config = z.strictObject({
  iterations: z
    .int()
    .positive()
    .default(40_000)
    .describe("steps of each identity's agent, each of which asks for one image, or two where `blend` is above 0"),
  episode: z
    .int()
    .positive()
    .default(1)
    .describe("steps from one random latent to the next (the paper's maximum step)"),
  blend: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe(
      "α, how much of a latent stays where an action is blended in; 0, the released code's: it takes the action's place",
    ),
  stateWeight: z.number().min(0).default(2).describe("w₁, weight of log p of the blended latent's image in the reward"),
  actionWeight: z.number().min(0).default(2).describe("w₂, weight of log p of the action's own image"),
  marginWeight: z
    .number()
    .min(0)
    .default(8)
    .describe("w₃, weight of the log of how far p lies above the likeliest other class"),
  hidden: z.int().positive().default(256).describe("units of each of the two hidden layers of actor and critics"),
  rate: z.number().positive().default(5e-4).describe("learning rate of Adam, of actor, critics and temperature alike"),
  replay: z
    .int()
    .positive()
    .default(256)
    .describe("past steps that each learning step draws; learning begins with as many"),
  updates: z
    .int()
    .positive()
    .default(1)
    .describe("learning steps at each step; more make up for few questions, at the price of arithmetic"),
  memory: z.int().positive().default(1_000_000).describe("past steps that are kept"),
  discount: z.number().min(0).max(1).default(0.99).describe("γ, which matters where episodes are longer than one step"),
  averaging: z
    .number()
    .gt(0)
    .max(1)
    .default(0.01)
    .describe("τ, how far target networks follow the critics at each step"),
  temperature: z
    .number()
    .positive()
    .default(1)
    .describe("weight of the policy's entropy to begin with; it is then learnt"),
  batch: z
    .int()
    .positive()
    .default(20)
    .describe("identities whose agents learn side by side; 40,000 past steps of 100 numbers take 32 MB of each"),
});

type Settings = z.output<typeof config>;

/** What a probability of zero counts as in a reward's logarithms. */
const LEAST = 1e-20;
/** What a margin of zero or less counts as (released code). */
const LEAST_MARGIN = 1e-7;

/**
 * RLB-MI: for each identity an agent that learns, by soft actor-critic, to turn random latents into ones whose images the target gives a
 * high probability of it. A latent is the state, an action is a latent that is blended in (algorithm 1); the reward is eq. 4's.
 *
 * Reconstructions are the likeliest images of all that were asked for; the released code draws as many again and looks among those.
 * Its mean of log-probabilities over a latent's numbers, against an entropy for their sum, makes the temperature fall to zero whatever
 * the policy does; here both are sums, as in soft actor-critic.
 */
export const rlbMi = defineAttack({
  kind: "rlb-mi",
  summary: "an agent for each identity learns, by soft actor-critic, which latents the target recognises",
  paper: "Han et al., Reinforcement Learning-Based Black-Box Model Inversion Attacks, CVPR 2023",
  access: "scores",
  prior: "dcgan",
  config,
  quick: { iterations: 1500, hidden: 64, rate: 3e-3, replay: 64, updates: 2, batch: 50 },
  async run({ target, space, identities, perIdentity, config: c, seed, work }) {
    const { width } = space;
    const labels = labelsOf(identities, perIdentity);
    const agents = Math.min(c.batch, identities.length);
    const { start, act, learning } = softActorCritic({
      agents,
      state: width,
      action: width,
      hidden: c.hidden,
      batch: c.replay,
      rate: c.rate,
      discount: c.episode > 1 ? c.discount : 0,
      averaging: c.averaging,
      temperature: c.temperature,
    });
    const found = await space.draw(labels.length, seed, "rlb-mi");
    // Probabilities of what was found, below those of any image at first.
    const confidence = filled([labels.length], -1);
    const memory = replayMemory(agents, Math.min(c.memory, c.iterations), width, width);
    const state = filled([agents, width], 0);
    const agentsFrom = (from: number) =>
      Array.from({ length: agents }, (_, i) => identities[Math.min(from + i, identities.length - 1)]!);
    const seeds = (from: number) => agentsFrom(from).map((identity) => seedFor(seed, "rlb-mi", identity));

    const blended = (states: Float32Array, actions: Float32Array) =>
      actions.map((a, i) => c.blend * states[i]! + (1 - c.blend) * a);

    const store = createStore(start(seeds(0)));
    const acting = await compile({ outputs: { actions: act(1) }, store });
    const step = await compile({ ...learning, store });
    const reward = rewards(target, space, c);

    /** Keeps a latent among the `perIdentity` likeliest of its identity; of equals the newer one. */
    const keep = (at: number, latent: Float32Array, p: number) => {
      const own = confidence.data.subarray(at * perIdentity, (at + 1) * perIdentity);
      const worst = own.indexOf(Math.min(...own));
      if (p < own[worst]!) return;
      own[worst] = p;
      found.set(latent, (at * perIdentity + worst) * width);
    };

    await runLoop({
      work,
      name: "rlb-mi",
      total: Math.ceil(identities.length / agents) * c.iterations,
      unit: "steps",
      store,
      extra: {
        save: () => ({
          found: tensor(found.slice(), [labels.length, width]),
          confidence: tensor(confidence.data.slice(), [labels.length]),
          state: tensor(state.data.slice(), [agents, width]),
          ...memory.save(),
        }),
        load(saved) {
          found.set(saved.found!.data);
          confidence.data.set(saved.confidence!.data);
          state.data.set(saved.state!.data);
          memory.load(saved);
        },
      },
      // The memory makes large checkpoints.
      every: 60,
      async open() {
        return async (at) => {
          const from = Math.floor(at / c.iterations) * agents;
          const iteration = at % c.iterations;
          const present = Math.min(agents, identities.length - from);
          if (iteration === 0) {
            store.load(start(seeds(from)));
            memory.clear();
          }
          const rng = random(seed, "rlb-mi", from, iteration);
          if (iteration % c.episode === 0) state.data.set(rng.normals(agents * width));
          const states = state.data.slice();
          const { actions } = await acting.run({ states, noise: rng.normals(agents * width) });
          const taken = Float32Array.from(actions!.data);
          const lost = taken.find((x) => !Number.isFinite(x));
          if (lost !== undefined) throw new DivergedError("rlb-mi: an action", iteration, lost);
          const next = blended(states, taken);
          const seen = await reward(next.subarray(0, present * width), taken, identities.slice(from, from + present));
          for (let i = 0; i < present; i++)
            keep(from + i, next.subarray(i * width, (i + 1) * width), seen.confidences[i]!);
          state.data.set(next);
          memory.add({
            states,
            actions: taken,
            // An agent past the last identity fills up the batch, and is rewarded for nothing.
            rewards: Float32Array.from({ length: agents }, (_, i) => seen.rewards[i] ?? 0),
            unfinished: (iteration + 1) % c.episode !== 0,
          });
          let losses = {};
          // The few steps of a rehearsal would never fill the memory, and learning is most of what a step costs.
          const updates = memory.size() >= c.replay || work.rehearsal !== undefined ? c.updates : 0;
          for (let k = 0; k < updates; k++) losses = await learn(from, iteration, k);
          const kept = confidence.data.subarray(from * perIdentity, (from + present) * perIdentity);
          const row = {
            reward: seen.rewards.reduce((sum, r) => sum + r, 0) / present,
            confidence: kept.reduce((sum, p) => sum + p, 0) / kept.length,
            ...losses,
          };
          if ((iteration + 1) % 20 === 0 || iteration + 1 === c.iterations)
            await work.log({ attack: "rlb-mi", batch: from / agents, iteration: iteration + 1, ...row });
          return row;
        };
      },
    });
    await acting.release();
    await step.release();
    return { rows: found, labels };

    async function learn(from: number, iteration: number, k: number): Promise<Record<string, number>> {
      const rng = random(seed, "rlb-mi", "learn", from, iteration, k);
      const drawn = memory.sample(c.replay, rng);
      const numbers = agents * c.replay * width;
      const later =
        c.episode > 1 ? { nextStates: blended(drawn.states, drawn.actions), nextNoise: rng.normals(numbers) } : {};
      const result = await step.run({ ...drawn, noise: rng.normals(numbers), ...later });
      const losses = Object.fromEntries(Object.entries(result).map(([name, t]) => [name, t.data[0]!]));
      for (const loss of [losses.critic!, losses.actor!]) checkFinite("rlb-mi", iteration, loss);
      return losses;
    }
  },
});

/**
 * What each identity's agent is rewarded with: w₁·log p_y(G(s)) + w₂·log p_y(G(a)) + w₃·log max(ε, p_y(G(s)) − max over k ≠ y of p_k(G(s)))
 * (eq. 1 to 4), and the probability of its class in the image of the blended latent s. An action that is the latent is not asked for again.
 */
function rewards(target: ScoresAccess, space: SearchSpace, c: Settings) {
  const { classes } = target;
  const ask = async (latents: Float32Array, wanted: readonly number[]) =>
    target.scores(await space.render(latents, Int32Array.from(wanted)));
  return async (latents: Float32Array, actions: Float32Array, wanted: readonly number[]) => {
    const ofStates = await ask(latents, wanted);
    const ofActions = c.blend === 0 ? ofStates : await ask(actions.subarray(0, latents.length), wanted);
    const confidences = wanted.map((k, i) => ofStates[i * classes + k]!);
    const found = wanted.map((k, i) => {
      const others = ofStates.subarray(i * classes, (i + 1) * classes).filter((_, j) => j !== k);
      const p = confidences[i]!;
      const own = c.stateWeight * logOf(p) + c.actionWeight * logOf(ofActions[i * classes + k]!);
      return own + c.marginWeight * Math.log(Math.max(LEAST_MARGIN, p - Math.max(...others)));
    });
    return { rewards: found, confidences };
  };
}

const logOf = (p: number) => Math.log(Math.max(LEAST, p));
