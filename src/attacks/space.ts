import { random } from "../engine/random.ts";
import { sizeOf } from "../engine/shape.ts";
import type { Prior } from "../priors/prior.ts";
import { renderer } from "../priors/synthesize.ts";

/** Where an attack searches: rows of numbers, how they are drawn at random, and the images that they stand for. */
export interface SearchSpace {
  /** Numbers a row. */
  readonly width: number;
  /** Whether a row's image also depends on the class that it is meant for. */
  readonly byClass: boolean;
  /** Random rows, from the stream of the seed and path. */
  draw(count: number, seed: number, ...path: readonly (string | number)[]): Float32Array;
  /** Images [n, C, H, W] in [0, 1] of rows, each meant for the class in `labels`. */
  render(rows: Float32Array, labels: Int32Array): Promise<Float32Array>;
  release(): Promise<void>;
}

/** The latents of a prior, or images of the given shape where there is none. */
export function searchSpace(prior: Prior | undefined, image: readonly [number, number, number]): SearchSpace {
  return prior === undefined ? pixelSpace(image) : latentSpace(prior);
}

/** The latents of a prior, standard normal. */
function latentSpace(prior: Prior): SearchSpace {
  let opened: ReturnType<typeof renderer> | undefined;
  return {
    width: prior.networks.latent,
    byClass: prior.networks.classes !== undefined,
    draw: (count, seed, ...path) => random(seed, "latents", ...path).normals(count * prior.networks.latent),
    async render(rows, labels) {
      opened ??= renderer(prior);
      return (await opened).render(rows, labels);
    },
    async release() {
      await (await opened)?.release();
    },
  };
}

/** Images themselves, without a prior; random ones have independent pixels, uniform in [0, 1]. */
export function pixelSpace(image: readonly [number, number, number]): SearchSpace {
  const width = sizeOf(image);
  return {
    width,
    byClass: false,
    draw: (count, seed, ...path) => random(seed, "pixels", ...path).uniforms(count * width),
    render: async (rows) => Float32Array.from(rows),
    release: async () => {},
  };
}
