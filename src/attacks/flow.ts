import { constant, type Value } from "../engine/graph.ts";
import { tanh } from "../engine/ops/activation.ts";
import { add, exp, maximum, minimum, mul, sub } from "../engine/ops/elementwise.ts";
import { matmul } from "../engine/ops/linear.ts";
import { broadcastTo, concat, sliceAxis } from "../engine/ops/movement.ts";
import { sum } from "../engine/ops/reduce.ts";
import { random } from "../engine/random.ts";
import { tensor } from "../engine/tensor.ts";

/** The sizes of a normalizing flow over latents. */
export interface FlowSizes {
  /** Length of a latent; 2 or more. */
  readonly latent: number;
  /** Steps, each a permutation, a coupling and a scale and shift of every number. */
  readonly layers: number;
  /** Width of the couplings' networks. */
  readonly hidden: number;
  /** Whether a coupling only shifts numbers or scales them too. */
  readonly coupling: "additive" | "affine";
  /** Of the permutations, which are not learnt. */
  readonly seed: number;
}

/** A weight of a flow: one row of one distribution, [rows, columns]. */
export interface FlowWeight {
  readonly name: string;
  readonly shape: readonly [number, number];
  /** Deviation of its first numbers, which are normal; 0 where they are zeros. */
  readonly deviation: number;
}

const named = (layer: number, part: string) => `${layer}.${part}`;
/** Of a latent's numbers, those that stay in a coupling and steer the others. */
const steering = ({ latent }: FlowSizes) => Math.floor(latent / 2);

/** The weights of a flow. At first the couplings do nothing, so that it only permutes: a normal distribution stays one. */
export function flowWeights(sizes: FlowSizes): FlowWeight[] {
  const { latent, layers, hidden, coupling } = sizes;
  const from = steering(sizes);
  const to = (latent - from) * (coupling === "affine" ? 2 : 1);
  const drawn = (inputs: number) => 1 / Math.sqrt(inputs);
  return Array.from({ length: layers }, (_, k): FlowWeight[] => [
    { name: named(k, "first.weight"), shape: [from, hidden], deviation: drawn(from) },
    { name: named(k, "first.bias"), shape: [1, hidden], deviation: 0 },
    { name: named(k, "second.weight"), shape: [hidden, hidden], deviation: drawn(hidden) },
    { name: named(k, "second.bias"), shape: [1, hidden], deviation: 0 },
    { name: named(k, "last.weight"), shape: [hidden, to], deviation: 0 },
    { name: named(k, "last.bias"), shape: [1, to], deviation: 0 },
    { name: named(k, "logScale"), shape: [1, latent], deviation: 0 },
    { name: named(k, "shift"), shape: [1, latent], deviation: 0 },
  ]).flat();
}

/** The weights whose first numbers move and stretch what a flow makes as a whole: those of its last scale and shift. */
export function outermost({ layers }: FlowSizes): { readonly logScale: string; readonly shift: string } {
  return { logScale: named(layers - 1, "logScale"), shift: named(layers - 1, "shift") };
}

/**
 * Latents of noise, and ln |det ∂z/∂ε|: a Glow without its levels (Kingma & Dhariwal, NeurIPS 2018), with fixed permutations, the
 * couplings' networks and the order of VMI's released code.
 * @param noise ε [..., n, latent]
 * @param weight a weight by its name, [..., rows, columns]
 * @returns z [..., n, latent], and the logarithm [..., n]
 */
export function flowed(
  noise: Value,
  sizes: FlowSizes,
  weight: (name: string) => Value,
): { readonly z: Value; readonly logDeterminant: Value } {
  const { latent, layers, coupling, seed } = sizes;
  const at = steering(sizes);
  let z = noise;
  let logDeterminant: Value | undefined;
  const more = (part: Value) => {
    logDeterminant = logDeterminant === undefined ? part : add(logDeterminant, part);
  };
  for (let k = 0; k < layers; k++) {
    const part = (x: Value, start: number, end: number) => sliceAxis(x, -1, start, end);
    const dense = (x: Value, name: string) =>
      add(matmul(x, weight(named(k, `${name}.weight`))), weight(named(k, `${name}.bias`)));
    const permuted = matmul(z, permutation(latent, seed, k));
    const [kept, changed] = [part(permuted, 0, at), part(permuted, at, latent)];
    const steered = dense(elu(dense(elu(dense(kept, "first")), "second")), "last");
    const shift = part(steered, 0, latent - at);
    if (coupling === "affine") {
      const scale = tanh(part(steered, latent - at, 2 * (latent - at)));
      more(sum(scale, [-1]));
      z = concat([kept, add(mul(changed, exp(scale)), shift)], -1);
    } else z = concat([kept, add(changed, shift)], -1);
    const logScale = weight(named(k, "logScale"));
    z = add(mul(z, exp(logScale)), weight(named(k, "shift")));
    // The same for all draws of a distribution.
    more(sum(logScale, [-1]));
  }
  return { z, logDeterminant: broadcastTo(logDeterminant!, noise.shape.slice(0, -1)) };
}

/** x where it is positive, eˣ − 1 below */
function elu(x: Value): Value {
  return add(maximum(x, 0), sub(exp(minimum(x, 0)), 1));
}

/** A matrix [n, n] with which rows are multiplied to put their numbers in another order. */
function permutation(n: number, seed: number, layer: number): Value {
  const order = random(seed, "flow", "permutation", layer).permutation(n);
  const matrix = new Float32Array(n * n);
  for (const [to, from] of order.entries()) matrix[from * n + to] = 1;
  return constant(tensor(matrix, [n, n]), `permutation${layer}`);
}
