import type { Value } from "./graph.ts";
import { tanh } from "./ops/activation.ts";
import { add, cos, div, greater, minimum, mul, pow, scalar, sub, toFloat } from "./ops/elementwise.ts";

/** A learning rate as a function of the step's number (0 at the first step), computed in the graph. */
export type Schedule = (step: Value) => Value;

/** The same rate at every step. */
export function constantRate(rate: number): Schedule {
  return () => scalar(rate);
}

/** From `rate` down to `floor` along half a cosine over `steps` steps (Loshchilov & Hutter 2017), then `floor`. */
export function cosineRate(rate: number, steps: number, floor = 0): Schedule {
  return (step) => {
    const phase = mul(minimum(step, steps), Math.PI / steps);
    return add(floor, mul((rate - floor) / 2, add(1, cos(phase))));
  };
}

/** `rate`, times `gamma` at each of the given step numbers. */
export function steppedRate(rate: number, milestones: readonly number[], gamma = 0.1): Schedule {
  return (step) => {
    const passed = milestones.map((m) => toFloat(greater(step, m - 0.5))).reduce((a, b) => add(a, b), scalar(0));
    return mul(rate, pow(scalar(gamma), passed));
  };
}

/**
 * `rate`, which rises linearly over the first share of the steps and falls along half a cosine over the last (the projector of Karras et
 * al. 2020, appendix D).
 */
export function rampedRate(
  rate: number,
  steps: number,
  ramps: { readonly up: number; readonly down: number },
): Schedule {
  return (step) => {
    const done = div(step, steps);
    const falling = minimum(div(sub(1, done), ramps.down), 1);
    const rising = minimum(div(done, ramps.up), 1);
    return mul(mul(sub(0.5, mul(0.5, cos(mul(falling, Math.PI)))), rising), rate);
  };
}

/** A schedule that first rises linearly from near zero over `steps` steps. */
export function withWarmup(schedule: Schedule, steps: number): Schedule {
  return (step) => mul(schedule(step), minimum(div(add(step, 1), steps), 1));
}

/**
 * 1 − βᵗ for the t-th step (1 at the first), Adam's correction for slots that start at zero. Written as −2h/(1 − h) with
 * h = tanh(t·ln β / 2), since the plain difference loses the digits that float32 has while βᵗ is near 1.
 */
export function biasCorrection(beta: number, step: Value): Value {
  const h = tanh(mul(add(step, 1), Math.log(beta) / 2));
  return div(mul(h, -2), sub(1, h));
}
