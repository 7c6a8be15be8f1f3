import { parameter, type Value } from "../engine/graph.ts";
import { add, exp, mul, square, sub } from "../engine/ops/elementwise.ts";
import { reshape } from "../engine/ops/movement.ts";
import { mean, sum } from "../engine/ops/reduce.ts";
import { random } from "../engine/random.ts";
import type { Shape } from "../engine/shape.ts";
import type { StateDict } from "../engine/store.ts";
import { filled, tensor } from "../engine/tensor.ts";
import { type FlowSizes, flowed, flowWeights, outermost } from "./flow.ts";

/** Distributions q over latents, several side by side, that are learnt: what VMI calls its miners. `lead` are the axes that count them. */
export interface LatentDistributions {
  /** What is learnt, parameters of a store. */
  readonly variables: readonly Value[];
  /** First values: normal around the given means, [...lead, latent]; the prior itself where they are 0 and the logarithm of the variance too. */
  start(means: Float32Array, logVariance: number): StateDict;
  /** Draws z of standard normal noise, both [...lead, n, latent]. */
  drawn(noise: Value): Value;
  /** KL(q ‖ N(0, I)) of each, [...lead]; estimated from the draws of that noise where there is no closed form. */
  divergence(noise: Value): Value;
}

/** Gaussians of independent numbers, N(μ, σ²). */
export function gaussians(lead: Shape, latent: number): LatentDistributions {
  const shape = [...lead, latent];
  const mu = parameter("mu", shape);
  const logVariance = parameter("logVariance", shape);
  const perDraw = (x: Value) => reshape(x, [...lead, 1, latent]);
  return {
    variables: [mu, logVariance],
    start: (means, first) => ({ mu: tensor(means, shape), logVariance: filled(shape, first) }),
    drawn: (noise) => add(perDraw(mu), mul(perDraw(exp(mul(logVariance, 0.5))), noise)),
    divergence: () => mul(sum(sub(add(exp(logVariance), square(mu)), add(logVariance, 1)), [-1]), 0.5),
  };
}

/** Normalizing flows. */
export function flows(lead: Shape, sizes: FlowSizes): LatentDistributions {
  const specs = flowWeights(sizes);
  const values = new Map(specs.map(({ name, shape }) => [name, parameter(`flow/${name}`, [...lead, ...shape])]));
  const count = lead.reduce((n, a) => n * a, 1);
  const of = (noise: Value) => flowed(noise, sizes, (name) => values.get(name)!);
  return {
    variables: [...values.values()],
    start(means, logVariance) {
      const outer = outermost(sizes);
      const first = Object.fromEntries(
        specs.map(({ name, shape, deviation }) => {
          const one = random(sizes.seed, "flow", name)
            .normals(shape[0] * shape[1])
            .map((x) => deviation * x);
          const all = new Float32Array(count * one.length);
          for (let i = 0; i < count; i++) all.set(one, i * one.length);
          return [`flow/${name}`, tensor(all, [...lead, ...shape])];
        }),
      );
      const outerShape = [...lead, 1, sizes.latent];
      return {
        ...first,
        [`flow/${outer.shift}`]: tensor(means, outerShape),
        [`flow/${outer.logScale}`]: filled(outerShape, logVariance / 2),
      };
    },
    drawn: (noise) => of(noise).z,
    // ln q(z) = ln N(ε; 0, I) − ln |det ∂z/∂ε|, so that the KL is the mean of ½‖z‖² − ½‖ε‖² − ln |det|.
    divergence(noise) {
      const { z, logDeterminant } = of(noise);
      const energies = mul(sub(sum(square(z), [-1]), sum(square(noise), [-1])), 0.5);
      return mean(sub(energies, logDeterminant), [-1]);
    },
  };
}
