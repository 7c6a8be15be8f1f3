import { reshape } from "../engine/ops/movement.ts";
import { random } from "../engine/random.ts";
import { sizeOf } from "../engine/shape.ts";
import type { Layer } from "../models/layer.ts";
import { type Predictor, predictor } from "../models/predict.ts";
import type { Prior, PriorNetworks } from "../priors/prior.ts";
import { forAllLayers } from "../priors/style-networks.ts";
import { fixedPrior, renderer, stylesOf } from "../priors/synthesize.ts";

/** Where an attack searches: rows of numbers, how they are drawn at random, and the images that they stand for. */
export interface SearchSpace {
  /** Numbers a row. */
  readonly width: number;
  /** Whether a row's image also depends on the class that it is meant for. */
  readonly byClass: boolean;
  /** Random rows, from the stream of the seed and path. */
  draw(count: number, seed: number, ...path: readonly (string | number)[]): Promise<Float32Array>;
  /** Images [n, C, H, W] in [0, 1] of rows, each meant for the class in `labels`. */
  render(rows: Float32Array, labels: Int32Array): Promise<Float32Array>;
  release(): Promise<void>;
}

/** The styles of a prior that draws by them as a space to search. */
export interface StyleSpace {
  /** `w`: one style for all layers of an image; `w+`: one for each layer. */
  readonly styles: "w" | "w+";
  /** ψ: random styles lie so much nearer to the average one; 1 leaves them alone. */
  readonly truncation: number;
}

/** The latents of a prior, its styles where these are asked for, or images of the given shape where there is no prior. */
export function searchSpace(
  prior: Prior | undefined,
  image: readonly [number, number, number],
  styles?: StyleSpace,
): SearchSpace {
  if (prior === undefined) return pixelSpace(image);
  return styles === undefined ? latentSpace(prior) : styleSpace(prior, styles);
}

/** The part of a generator that makes images of latents [N, latent], or of styles as a space's rows hold them. */
export function rowsToImages(networks: PriorNetworks, space: StyleSpace | undefined): Layer {
  if (space === undefined) return networks.generator;
  const { synthesis, length, count } = stylesOf(networks);
  return {
    weights: synthesis.weights,
    apply: (rows, context) =>
      synthesis.apply(
        space.styles === "w" ? forAllLayers(rows, count) : reshape(rows, [rows.shape[0]!, count, length]),
        context,
      ),
  };
}

/** The latents of a prior, standard normal. */
function latentSpace(prior: Prior): SearchSpace {
  let opened: ReturnType<typeof renderer> | undefined;
  return {
    width: prior.networks.latent,
    byClass: prior.networks.classes !== undefined,
    draw: async (count, seed, ...path) => random(seed, "latents", ...path).normals(count * prior.networks.latent),
    async render(rows, labels) {
      opened ??= renderer(prior);
      return (await opened).render(rows, labels);
    },
    async release() {
      await (await opened)?.release();
    },
  };
}

/** Styles; random ones are those of standard normal latents, the same for all layers. */
function styleSpace(prior: Prior, { styles, truncation }: StyleSpace): SearchSpace {
  const { length, count: layers } = stylesOf(prior.networks);
  const perRow = styles === "w" ? 1 : layers;
  const batch = prior.networks.batch ?? 64;
  let mapper: Promise<Predictor<"w">> | undefined;
  let painter: Promise<Predictor<"images">> | undefined;
  return {
    width: perRow * length,
    byClass: false,
    async draw(count, seed, ...path) {
      mapper ??= predictor([prior.networks.latent], 64, (z) => ({ w: fixedPrior(prior).style(z, truncation) }));
      const z = random(seed, "latents", ...path).normals(count * prior.networks.latent);
      const { w } = await (await mapper).predict(z, count);
      if (perRow === 1) return w;
      const out = new Float32Array(count * perRow * length);
      for (let i = 0; i < count * perRow; i++) {
        const row = Math.floor(i / perRow);
        out.set(w.subarray(row * length, (row + 1) * length), i * length);
      }
      return out;
    },
    async render(rows) {
      painter ??= predictor([perRow, length], batch, (r) => ({
        images: fixedPrior(prior).synthesizeStyles(perRow === 1 ? forAllLayers(r, layers) : r),
      }));
      return (await (await painter).predict(rows, rows.length / (perRow * length))).images;
    },
    async release() {
      await (await mapper)?.release();
      await (await painter)?.release();
    },
  };
}

/** Images themselves, without a prior; random ones have independent pixels, uniform in [0, 1]. */
export function pixelSpace(image: readonly [number, number, number]): SearchSpace {
  const width = sizeOf(image);
  return {
    width,
    byClass: false,
    draw: async (count, seed, ...path) => random(seed, "pixels", ...path).uniforms(count * width),
    render: async (rows) => Float32Array.from(rows),
    release: async () => {},
  };
}
