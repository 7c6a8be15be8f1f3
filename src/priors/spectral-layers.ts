import type { Value } from "../engine/graph.ts";
import { conv2d } from "../engine/ops/conv.ts";
import { add, mul } from "../engine/ops/elementwise.ts";
import { linear as linearOp, matmul } from "../engine/ops/linear.ts";
import { reshape } from "../engine/ops/movement.ts";
import { powerIteration, spectralNorm } from "../engine/ops/norm.ts";
import { avgPool2d } from "../engine/ops/pool.ts";
import { sum } from "../engine/ops/reduce.ts";
import type { Shape } from "../engine/shape.ts";
import { constantInitial, xavierUniform } from "../models/initial.ts";
import type { Initializer, Layer, LayerContext, WeightSpec } from "../models/layer.ts";
import { conditionOf, operation } from "../models/layers.ts";

/** N(0, I) of length 1: where power iteration starts. */
const randomDirection: Initializer = (rng, shape) => {
  const drawn = rng.normals(shape.reduce((n, a) => n * a, 1));
  const length = Math.hypot(...drawn);
  return drawn.map((x) => x / length);
};

/** A weight, and the left singular vector that its spectral norm follows. */
function normalizedSpecs(path: string, shape: Shape, gain: number): WeightSpec[] {
  return [
    { name: `${path}.weight`, shape, kind: "weight", initial: xavierUniform(gain) },
    { name: `${path}.weight_u`, shape: [shape[0]!, 1], kind: "buffer", initial: randomDirection },
  ];
}

/**
 * A weight [out, …] over its largest singular value as a matrix [out, rest]: one step of power iteration in training, none otherwise
 * (PyTorch's `spectral_norm`).
 */
function normalized(c: LayerContext, path: string): Value {
  const weight = c.weight(`${path}.weight`);
  const matrix = reshape(weight, [weight.shape[0]!, -1]);
  const u = c.weight(`${path}.weight_u`);
  const next = powerIteration(matrix, u);
  if (c.training) c.update(`${path}.weight_u`, next.u);
  return reshape(spectralNorm(matrix, c.training ? next.u : u, next.v), weight.shape);
}

const bias = (path: string, length: number): WeightSpec => ({
  name: `${path}.bias`,
  shape: [length],
  kind: "weight",
  initial: constantInitial(0),
});

/** A convolution with spectral norm that keeps the side: kernel 3, or 1. */
export function spectralConv(path: string, from: number, to: number, kernel: 1 | 3, gain: number): Layer {
  return {
    weights: [...normalizedSpecs(path, [to, from, kernel, kernel], gain), bias(path, to)],
    apply: (x, c) => conv2d(x, normalized(c, path), { padding: (kernel - 1) / 2 }, c.weight(`${path}.bias`)),
  };
}

/** 2×2 means. */
export const halve: Layer = operation((x) => avgPool2d(x, { kernel: 2 }));

/**
 * The projection head (Miyato & Koyama 2018, eq. 4): features [N, C, H, W], summed over pixels to h, give ψ(h) + ⟨e_y, h⟩, [N]. Both maps
 * have spectral norm. The network is conditioned on classes.
 */
export function projection(path: string, embedding: string, channels: number, classes: number): Layer {
  return {
    weights: [
      ...normalizedSpecs(path, [1, channels], 1),
      bias(path, 1),
      ...normalizedSpecs(embedding, [classes, channels], 1),
    ],
    apply(x, c) {
      const h = sum(x, [2, 3]);
      const unconditional = reshape(linearOp(h, normalized(c, path), c.weight(`${path}.bias`)), [x.shape[0]!]);
      const ofClass = matmul(conditionOf(c, embedding), normalized(c, embedding));
      return add(unconditional, sum(mul(ofClass, h), [1]));
    },
  };
}
