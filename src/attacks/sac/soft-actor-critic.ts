import { grad } from "../../engine/autodiff.ts";
import { input, parameter, type Value } from "../../engine/graph.ts";
import { clamp } from "../../engine/ops/clamp.ts";
import { add, exp, minimum, mul, neg, square, stopGradient, sub } from "../../engine/ops/elementwise.ts";
import { concat, reshape, sliceAxis } from "../../engine/ops/movement.ts";
import { mean, sum } from "../../engine/ops/reduce.ts";
import { adam, type OptimizerPlan, optimizerState, optimizerUpdates } from "../../engine/optimizer.ts";
import { type Rng, random } from "../../engine/random.ts";
import { constantRate } from "../../engine/schedule.ts";
import type { StateDict } from "../../engine/store.ts";
import { filled } from "../../engine/tensor.ts";
import { type SideBySide, sideBySide } from "./side-by-side.ts";
import { type SquashedDraw, squashedGaussian } from "./squashed-gaussian.ts";

/** Agents that learn side by side, each by itself. */
export interface SacOptions {
  readonly agents: number;
  /** Length of a state and of an action. */
  readonly state: number;
  readonly action: number;
  /** Units of each of the two hidden layers. */
  readonly hidden: number;
  /** Transitions of each agent in a step. */
  readonly batch: number;
  /** Learning rate of Adam, of actor, critics and temperature alike. */
  readonly rate: number;
  /** γ; 0 where episodes are one step long, which leaves next states and target networks out of the graph. */
  readonly discount: number;
  /** τ, how far target networks follow the critics at each step. */
  readonly averaging: number;
  /** The temperature to begin with. */
  readonly temperature: number;
}

/** log σ is held to these (Haarnoja et al.'s code). */
const LOG_DEVIATION = [-20, 2] as const;
/** Weights of a critic's last layer begin in ± this, so that first values are near zero (released code of RLB-MI). */
const LAST = 3e-3;
const CRITICS = ["critic1", "critic2"] as const;
const LOG_TEMPERATURE = "logTemperature";
const target = (name: string) => `target/${name}`;

/** A policy and its learning, as graphs over a store. */
export interface SoftActorCritic {
  /** First numbers of everything in the store. @param seeds of each agent */
  start(seeds: readonly number[]): StateDict;
  /** Actions [agents, n, action] for the inputs `states` [agents, n, state] and `noise` [agents, n, action]. */
  act(rows: number): Value;
  /**
   * One step on transitions that are fed as `states` [agents, batch, state], `actions` [agents, batch, action], `rewards`
   * [agents, batch], with `noise` [agents, batch, action]; where there is a discount also `nextStates`, `nextNoise` and `unfinished`
   * [agents, batch], 1 where the episode goes on.
   */
  readonly learning: {
    readonly outputs: Readonly<Record<"critic" | "actor" | "temperature", Value>>;
    readonly updates: Readonly<Record<string, Value>>;
  };
}

/**
 * Soft actor-critic (Haarnoja et al., Soft Actor-Critic Algorithms and Applications, 2018, algorithm 1): a squashed Gaussian policy, the
 * smaller of two critics, target networks by Polyak averaging, and a temperature that holds the policy's entropy at −(length of an
 * action) (eq. 18). As there, log-probabilities are sums over an action's numbers.
 */
export function softActorCritic(options: SacOptions): SoftActorCritic {
  const { agents, state, action, hidden, batch, rate, discount, averaging, temperature } = options;
  const actor = sideBySide("actor", agents, [state, hidden, hidden, 2 * action]);
  const critics = CRITICS.map((name) => sideBySide(name, agents, [state + action, hidden, hidden, 1], LAST));
  const bootstrapped = discount > 0;
  const own = (net: SideBySide) => net.weights.map(({ name, shape }) => parameter(name, shape));

  const held = (names: readonly Value[]) => {
    const byName = new Map(names.map((v) => [v.leaf!.name, v]));
    return (name: string) => byName.get(name)!;
  };
  const actorWeights = own(actor);
  const draw = (states: Value, noise: Value): SquashedDraw => {
    const out = actor.apply(states, held(actorWeights));
    const logDeviation = clamp(sliceAxis(out, 2, action, 2 * action), ...LOG_DEVIATION);
    return squashedGaussian(sliceAxis(out, 2, 0, action), logDeviation, noise);
  };
  const values = (states: Value, actions: Value, weight: (name: string) => Value): [Value, Value] => {
    const both = concat([states, actions], 2);
    const of = (net: SideBySide) => reshape(net.apply(both, weight), [agents, states.shape[1]!]);
    return [of(critics[0]!), of(critics[1]!)];
  };

  const plan = (name: string): OptimizerPlan => ({ name, optimizer: adam(), rate: constantRate(rate) });
  const plans = { critic: plan("critic"), actor: plan("actor"), temperature: plan("temperature") };
  const criticWeights = critics.flatMap(own);
  const logTemperature = parameter(LOG_TEMPERATURE, [agents]);

  const learning = () => {
    const states = input("states", [agents, batch, state]);
    const actions = input("actions", [agents, batch, action]);
    const rewards = input("rewards", [agents, batch]);
    const heat = reshape(exp(logTemperature), [agents, 1]);

    const wanted = () => {
      if (!bootstrapped) return rewards;
      const nextStates = input("nextStates", [agents, batch, state]);
      const next = draw(nextStates, input("nextNoise", [agents, batch, action]));
      const targets = (name: string) =>
        parameter(target(name), criticWeights.find((w) => w.leaf!.name === name)!.shape);
      const soft = sub(minimum(...values(nextStates, next.action, targets)), mul(heat, next.logProbability));
      const later = mul(input("unfinished", [agents, batch]), soft);
      return stopGradient(add(rewards, mul(later, discount)));
    };
    const goal = wanted();
    const errors = values(states, actions, held(criticWeights)).map((q) => mean(square(sub(q, goal)), [1]));
    // Agents share no weight, so that the gradient of the sum is each one's own.
    const criticLoss = mul(sum(add(errors[0]!, errors[1]!)), 0.5);
    const criticUpdates = optimizerUpdates(plans.critic, criticWeights, grad(criticLoss, criticWeights));

    // The actor climbs the critics as they are after their step.
    const drawn = draw(states, input("noise", [agents, batch, action]));
    const value = minimum(...values(states, drawn.action, (name) => criticUpdates[name]!));
    const actorLoss = sum(mean(sub(mul(heat, drawn.logProbability), value), [1]));
    const excess = mean(add(stopGradient(drawn.logProbability), -action), [1]);
    const temperatureLoss = neg(sum(mul(logTemperature, excess)));
    const followers = bootstrapped
      ? criticWeights.map(({ leaf, shape }) => {
          const name = target(leaf!.name);
          return [
            name,
            add(mul(criticUpdates[leaf!.name]!, averaging), mul(parameter(name, shape), 1 - averaging)),
          ] as const;
        })
      : [];
    return {
      outputs: {
        critic: mul(criticLoss, 1 / agents),
        actor: mul(actorLoss, 1 / agents),
        temperature: mean(exp(logTemperature)),
      },
      updates: {
        ...criticUpdates,
        ...optimizerUpdates(plans.actor, actorWeights, grad(actorLoss, actorWeights)),
        ...optimizerUpdates(plans.temperature, [logTemperature], grad(temperatureLoss, [logTemperature])),
        ...Object.fromEntries(followers),
      },
    };
  };

  return {
    start(seeds) {
      const streams = (net: string): Rng[] => seeds.map((seed) => random(seed, "weights", net));
      const valued = Object.assign({}, ...critics.map((net, i) => net.initial(streams(CRITICS[i]!)))) as StateDict;
      const followed = Object.entries(valued).map(([name, t]) => [target(name), t] as const);
      return {
        ...actor.initial(streams("actor")),
        ...valued,
        ...(bootstrapped && Object.fromEntries(followed)),
        [LOG_TEMPERATURE]: filled([agents], Math.log(temperature)),
        ...optimizerState(plans.actor, actorWeights),
        ...optimizerState(plans.critic, criticWeights),
        ...optimizerState(plans.temperature, [logTemperature]),
      };
    },
    act: (rows) => draw(input("states", [agents, rows, state]), input("noise", [agents, rows, action])).action,
    learning: learning(),
  };
}
