import { parameter, type Value } from "./graph.ts";
import { add, div, mul, sqrt, square, sub } from "./ops/elementwise.ts";
import { biasCorrection, type Schedule } from "./schedule.ts";
import type { StateDict } from "./store.ts";
import { filled } from "./tensor.ts";

/** How a weight follows its gradient. A slot is a tensor of the weight's shape that the optimiser keeps between steps. */
export interface Optimizer {
  readonly slots: readonly string[];
  update(
    weight: Value,
    gradient: Value,
    slots: readonly Value[],
    rate: Value,
    step: Value,
  ): { weight: Value; slots: Value[] };
}

/** Stochastic gradient descent with PyTorch's conventions: weight decay is added to the gradient, momentum has no dampening. */
export function sgd({ momentum = 0, weightDecay = 0, nesterov = false } = {}): Optimizer {
  const decayed = (g: Value, w: Value) => (weightDecay === 0 ? g : add(g, mul(w, weightDecay)));
  if (momentum === 0) {
    return { slots: [], update: (w, g, _slots, rate) => ({ weight: sub(w, mul(decayed(g, w), rate)), slots: [] }) };
  }
  return {
    slots: ["momentum"],
    update(weight, gradient, [velocity], rate) {
      const g = decayed(gradient, weight);
      const next = add(mul(velocity!, momentum), g);
      const direction = nesterov ? add(g, mul(next, momentum)) : next;
      return { weight: sub(weight, mul(direction, rate)), slots: [next] };
    },
  };
}

/** Options of Adam and AdamW, with PyTorch's defaults. */
export interface AdamOptions {
  readonly betas?: readonly [number, number];
  readonly epsilon?: number;
  readonly weightDecay?: number;
}

function adamWith(
  { betas = [0.9, 0.999], epsilon = 1e-8, weightDecay = 0 }: AdamOptions,
  decoupled: boolean,
): Optimizer {
  return {
    slots: ["mean", "square"],
    update(weight, gradient, [mean, second], rate, step) {
      const g = decoupled || weightDecay === 0 ? gradient : add(gradient, mul(weight, weightDecay));
      const nextMean = add(mul(mean!, betas[0]), mul(g, 1 - betas[0]));
      const nextSecond = add(mul(second!, betas[1]), mul(square(g), 1 - betas[1]));
      const spread = add(div(sqrt(nextSecond), sqrt(biasCorrection(betas[1], step))), epsilon);
      const move = mul(div(nextMean, spread), div(rate, biasCorrection(betas[0], step)));
      const kept = decoupled && weightDecay !== 0 ? sub(weight, mul(weight, mul(rate, weightDecay))) : weight;
      return { weight: sub(kept, move), slots: [nextMean, nextSecond] };
    },
  };
}

/** Adam (Kingma & Ba 2015); weight decay is added to the gradient. */
export function adam(options: AdamOptions = {}): Optimizer {
  return adamWith(options, false);
}

/** AdamW (Loshchilov & Hutter 2019); weight decay acts on the weight itself, 0.01 by default. */
export function adamw(options: AdamOptions = {}): Optimizer {
  return adamWith({ weightDecay: 0.01, ...options }, true);
}

/** One optimiser at work on named weights of a store. `name` keeps the slots of several optimisers apart. */
export interface OptimizerPlan {
  readonly name: string;
  readonly optimizer: Optimizer;
  readonly rate: Schedule;
}

const slotName = (plan: OptimizerPlan, weight: string, slot: string) => `${plan.name}/${weight}/${slot}`;

/** The slots, all zero, and the step counter, to be added to the store that holds the weights. */
export function optimizerState(plan: OptimizerPlan, weights: readonly Value[]): StateDict {
  const state: Record<string, StateDict[string]> = { [`${plan.name}/step`]: filled([], 0) };
  for (const w of weights)
    for (const slot of plan.optimizer.slots) state[slotName(plan, w.leaf!.name, slot)] = filled(w.shape, 0);
  return state;
}

/** The next value of each weight, slot and of the step counter, for `compile`'s updates. `weights` are parameters. */
export function optimizerUpdates(
  plan: OptimizerPlan,
  weights: readonly Value[],
  gradients: readonly Value[],
): Record<string, Value> {
  const step = parameter(`${plan.name}/step`, []);
  const rate = plan.rate(step);
  const updates: Record<string, Value> = { [`${plan.name}/step`]: add(step, 1) };
  for (const [i, w] of weights.entries()) {
    const name = w.leaf!.name;
    const slots = plan.optimizer.slots.map((slot) => parameter(slotName(plan, name, slot), w.shape));
    const next = plan.optimizer.update(w, gradients[i]!, slots, rate, step);
    updates[name] = next.weight;
    for (const [j, slot] of plan.optimizer.slots.entries()) updates[slotName(plan, name, slot)] = next.slots[j]!;
  }
  return updates;
}
