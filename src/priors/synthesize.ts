import type { Value } from "../engine/graph.ts";
import { sliceAxis } from "../engine/ops/movement.ts";
import { fixed } from "../models/bind.ts";
import type { LayerContext } from "../models/layer.ts";
import { predictor } from "../models/predict.ts";
import { DISCRIMINATOR, GENERATOR, type Prior, type PriorNetworks, type Styles, weightsUnder } from "./prior.ts";
import { truncated } from "./style-networks.ts";
import type { Between } from "./synthesis-parts.ts";

/** The styles that a prior draws by. @throws RangeError where it does not. */
export function stylesOf({ styles }: PriorNetworks): Styles {
  if (styles === undefined) throw new RangeError("a prior that draws by styles is needed");
  return styles;
}

/** A prior's networks with their trained weights fixed, as functions of graph values. `wanted` are one-hot classes [N, classes], for conditional priors. */
export function fixedPrior({ networks, state }: Prior): {
  synthesize(latents: Value, wanted?: Value): Value;
  naturalness(images: Value, wanted?: Value): Value;
  /** Latents [N, latent] to styles [N, length], truncated by ψ. @throws RangeError for a prior without styles, as does the next. */
  style(latents: Value, truncation: number): Value;
  /** Styles [N, count, length] to images. */
  synthesizeStyles(styles: Value): Value;
  /** What the block of that number hands on, given what the one before it did (nothing for block 0). @throws RangeError as above. */
  through(block: number, before: Between | undefined, styles: Value): Between;
  /** Images from that block on. @throws RangeError as above. */
  synthesizeFrom(block: number, before: Between | undefined, styles: Value): Value;
} {
  const generator = fixed(weightsUnder(GENERATOR, state));
  const discriminator = fixed(weightsUnder(DISCRIMINATOR, state));
  return {
    synthesize: (latents, wanted) => generator.apply(networks.generator, latents, wanted),
    naturalness: (images, wanted) => networks.naturalness(discriminator.apply(networks.discriminator, images, wanted)),
    style: (latents, truncation) => generator.apply(truncated(stylesOf(networks).mapping, truncation), latents),
    synthesizeStyles: (styles) => generator.apply(stylesOf(networks).synthesis, styles),
    through(number, before, styles) {
      const block = stylesOf(networks).parts.blocks[number]!;
      let after: Between | undefined;
      const observed = (s: Value, c: LayerContext) => {
        after = block.apply(before, s, c);
        return after.features;
      };
      generator.apply({ weights: block.weights, apply: observed }, styles);
      return after!;
    },
    synthesizeFrom(number, before, styles) {
      const { blocks, finish } = stylesOf(networks).parts;
      const rest = blocks.slice(number);
      const apply = (s: Value, c: LayerContext) =>
        finish(rest.reduce<Between | undefined>((b, block) => block.apply(b, s, c), before)!, c);
      return generator.apply({ weights: rest.flatMap(({ weights }) => weights), apply }, styles);
    },
  };
}

/**
 * The classes that a prior's discriminator tells apart: [N, C, H, W] to logits [N, classes].
 * @throws RangeError for a prior whose discriminator tells none.
 */
export function copiedClasses({ networks, state }: Prior): (images: Value) => Value {
  const { recognise } = networks;
  if (recognise === undefined) throw new RangeError("a prior whose discriminator tells classes apart is needed");
  const discriminator = fixed(weightsUnder(DISCRIMINATOR, state));
  return (images) => recognise(discriminator.apply(networks.discriminator, images));
}

/** Renders latents again and again with one compiled generator. */
export interface Renderer {
  /**
   * Images [n, C, H, W] of latents [n, latent], row by row, values in [0, 1].
   * @param labels the class of each row, for conditional priors; others pass over them
   */
  render(latents: Float32Array, labels?: Int32Array): Promise<Float32Array>;
  release(): Promise<void>;
}

/** Compiles a prior's generator for batches of the given size. */
export async function renderer(prior: Prior, batch = prior.networks.batch ?? 64): Promise<Renderer> {
  const { latent, classes = 0 } = prior.networks;
  const net = await predictor([latent + classes], batch, (rows) => {
    const wanted = classes > 0 ? sliceAxis(rows, 1, latent, latent + classes) : undefined;
    return { images: fixedPrior(prior).synthesize(sliceAxis(rows, 1, 0, latent), wanted) };
  });
  return {
    async render(latents, labels) {
      const rows = classes > 0 ? withClasses(latents, latent, labels, classes) : latents;
      return (await net.predict(rows, latents.length / latent)).images;
    },
    release: () => net.release(),
  };
}

/** Each latent with its class behind it as a row with one 1. @throws RangeError unless every row has a class. */
function withClasses(latents: Float32Array, latent: number, labels: Int32Array | undefined, classes: number) {
  const count = latents.length / latent;
  if (labels?.length !== count)
    throw new RangeError(`a conditional prior needs a class for each of ${count} latents, not ${labels?.length ?? 0}`);
  const out = new Float32Array(count * (latent + classes));
  for (const [i, label] of labels.entries()) {
    out.set(latents.subarray(i * latent, (i + 1) * latent), i * (latent + classes));
    out[i * (latent + classes) + latent + label] = 1;
  }
  return out;
}

/** Images of latents [n, latent], once; see `Renderer.render`. */
export async function synthesize(
  prior: Prior,
  latents: Float32Array,
  options: { readonly labels?: Int32Array; readonly batch?: number } = {},
): Promise<Float32Array> {
  const net = await renderer(prior, options.batch);
  const images = await net.render(latents, options.labels);
  await net.release();
  return images;
}
