import { z } from "zod";
import { parameter, type Value } from "../engine/graph.ts";
import { add, div, minimum, mul, sub } from "../engine/ops/elementwise.ts";
import type { OptimizerPlan } from "../engine/optimizer.ts";
import type { StateDict, Store } from "../engine/store.ts";
import { DISCRIMINATOR, GENERATOR, type PriorNetworks, weightsUnder, weightsWithPrefix } from "./prior.ts";

const AVERAGE = "average/";

/** The setting of a prior that is an average only where that is wanted. */
export const averageSetting = z
  .number()
  .min(0)
  .lt(1)
  .optional()
  .describe(
    "decay of a running average of the generator's weights, which is then the prior; without it the last weights",
  );

/** A running average of a generator's weights and statistics in training: what the store holds for it, how it follows, what comes of it. */
export interface RunningAverage {
  readonly state: StateDict;
  /** Next values of the average, given the generator's. */
  updates(next: Readonly<Record<string, Value>>): Record<string, Value>;
  /** What training ends with: the generator's weights, their average or the last ones where none is kept, and the discriminator's last. */
  result(store: Store): StateDict;
}

/**
 * An average of the given decay, which starts at the generator's first weights; without a decay, or one of 0, none is kept. Early on it follows faster, so
 * that first weights are soon forgotten.
 * @param start first weights of both networks under their prefixes
 * @param plan the generator's optimiser, whose steps are counted
 */
export function runningAverage(
  { generator, discriminator }: PriorNetworks,
  start: StateDict,
  decay: number | undefined = 0,
  plan: OptimizerPlan,
): RunningAverage {
  const first = weightsWithPrefix(GENERATOR, weightsUnder(GENERATOR, start));
  const state = decay > 0 ? weightsWithPrefix(AVERAGE, first) : {};
  const source = decay > 0 ? AVERAGE : "";
  return {
    state,
    updates(next) {
      const step = parameter(`${plan.name}/step`, []);
      const kept = minimum(div(add(step, 1), add(step, 10)), decay);
      return Object.fromEntries(
        Object.keys(state).flatMap((name) => {
          // What no step changes is its own average.
          const target = next[name.slice(AVERAGE.length)];
          if (target === undefined) return [];
          const average = parameter(name, target.shape);
          return [[name, add(target, mul(kept, sub(average, target)))]];
        }),
      );
    },
    result(store) {
      const held = store.snapshot(generator.weights.map(({ name }) => `${source}${GENERATOR}${name}`));
      return {
        ...store.snapshot(discriminator.weights.map(({ name }) => DISCRIMINATOR + name)),
        ...weightsWithPrefix(GENERATOR, weightsUnder(`${source}${GENERATOR}`, held)),
      };
    },
  };
}
