import type { Value } from "../engine/graph.ts";
import { fixed } from "../models/bind.ts";
import { predictor } from "../models/predict.ts";
import { DISCRIMINATOR, GENERATOR, type Prior, weightsUnder } from "./prior.ts";

/** A prior's networks with their trained weights fixed, as functions of graph values. */
export function fixedPrior({ networks, state }: Prior): {
  synthesize(latents: Value): Value;
  naturalness(images: Value): Value;
} {
  const generator = fixed(weightsUnder(GENERATOR, state));
  const discriminator = fixed(weightsUnder(DISCRIMINATOR, state));
  return {
    synthesize: (latents) => generator.apply(networks.generator, latents),
    naturalness: (images) => networks.naturalness(discriminator.apply(networks.discriminator, images)),
  };
}

/** Images of latents [n, latent], row by row, values in [0, 1]. */
export async function synthesize(prior: Prior, latents: Float32Array, batch = 64): Promise<Float32Array> {
  const { latent } = prior.networks;
  const net = await predictor([latent], batch, (z) => ({ images: fixedPrior(prior).synthesize(z) }));
  const { images } = await net.predict(latents, latents.length / latent);
  await net.release();
  return images;
}
