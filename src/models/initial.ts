import { sizeOf } from "../engine/shape.ts";
import type { Initializer } from "./layer.ts";

/** Numbers that a layer of `[out, in, …]` weights adds up for one output. */
const fanIn = (shape: readonly number[]) => sizeOf(shape.slice(1));
const fanOut = (shape: readonly number[]) => sizeOf(shape) / (shape[1] ?? 1);

/** One number everywhere. */
export const constantInitial =
  (value: number): Initializer =>
  (_rng, shape) =>
    new Float32Array(sizeOf(shape)).fill(value);

/** Normal with the given standard deviation and mean. */
export const normalInitial =
  (deviation: number, mean = 0): Initializer =>
  (rng, shape) =>
    rng.normals(sizeOf(shape)).map((x) => mean + deviation * x);

/** He et al. 2015, normal, by fan-in: PyTorch's default of its `kaiming_normal_`. */
export const heFanIn: Initializer = (rng, shape) => normalInitial(Math.sqrt(2 / fanIn(shape)))(rng, shape);

/** He et al. 2015, normal, by fan-out, for layers before ReLU: torchvision's choice for convolutions. */
export const heInitial: Initializer = (rng, shape) => normalInitial(Math.sqrt(2 / fanOut(shape)))(rng, shape);

/** Glorot & Bengio 2010, uniform: ±gain·√(6 / (fan-in + fan-out)). */
export const xavierUniform =
  (gain = 1): Initializer =>
  (rng, shape) => {
    const bound = gain * Math.sqrt(6 / (fanIn(shape) + fanOut(shape)));
    return rng.uniforms(sizeOf(shape)).map((u) => (2 * u - 1) * bound);
  };

/** Uniform in ±1/√fan-in: PyTorch's default for convolutions and linear layers. */
export const uniformFanIn: Initializer = (rng, shape) => {
  const bound = 1 / Math.sqrt(fanIn(shape));
  return rng.uniforms(sizeOf(shape)).map((u) => (2 * u - 1) * bound);
};

/** Normal with variance 1/fan-in (LeCun et al. 1998). */
export const lecunNormal: Initializer = (rng, shape) => normalInitial(1 / Math.sqrt(fanIn(shape)))(rng, shape);

/** Uniform in ±1/√n: the default for a bias, n being its layer's fan-in. */
export const uniformBias =
  (n: number): Initializer =>
  (rng, shape) =>
    rng.uniforms(sizeOf(shape)).map((u) => (2 * u - 1) / Math.sqrt(n));
