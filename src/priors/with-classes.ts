import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { sameShape } from "../engine/shape.ts";
import type { StateDict } from "../engine/store.ts";
import { type FloatTensor, tensor } from "../engine/tensor.ts";
import { firstWeights, GENERATOR, type PriorNetworks, weightsUnder } from "./prior.ts";

/** Weights of a conditional batch norm, and those of the plain one in its place. */
const CONDITIONAL = [
  [/\.weights\.weight$/, ".weight"],
  [/\.biases\.weight$/, ".bias"],
] as const;

/** The setting of a GAN with classes that may start from one without. */
export const fromSetting = z
  .literal("sngan")
  .optional()
  .describe(
    "start both networks from the public prior `sngan` of the same latent and width; from random weights without it",
  );

/**
 * First weights of a GAN with classes from one of the same networks without: every class starts as what the images have in common.
 * What the other has not, the embedding of classes or a head, stays random.
 * @throws UserError for generators of different sizes.
 */
export function withClasses(networks: PriorNetworks, start: StateDict, seed: number): StateDict {
  const given = weightsUnder(GENERATOR, start);
  for (const { name, shape } of networks.generator.weights)
    if (given[name] !== undefined && !sameShape(given[name].shape, shape))
      throw new UserError(
        `a prior that starts from sngan has its latent and width: ${name} is [${shape.join(", ")}] here, [${given[name].shape.join(", ")}] there`,
      );
  return Object.fromEntries(
    Object.entries(firstWeights(networks, seed)).map(([name, first]) => [name, fitting(start, name, first)]),
  );
}

function fitting(start: StateDict, name: string, first: FloatTensor): FloatTensor {
  const same = start[name];
  if (same !== undefined && sameShape(same.shape, first.shape)) return same;
  for (const [conditional, plain] of CONDITIONAL) {
    const row = start[name.replace(conditional, plain)];
    const [classes, channels] = first.shape;
    if (!conditional.test(name) || row === undefined || row.data.length !== channels) continue;
    const rows = new Float32Array(first.data.length);
    for (let i = 0; i < classes!; i++) rows.set(row.data, i * channels);
    return tensor(rows, first.shape);
  }
  return first;
}
