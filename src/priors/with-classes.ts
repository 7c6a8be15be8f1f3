import { UserError } from "../engine/errors.ts";
import { sameShape } from "../engine/shape.ts";
import type { StateDict } from "../engine/store.ts";
import { type FloatTensor, tensor } from "../engine/tensor.ts";
import { firstWeights, GENERATOR, type PriorNetworks, weightsUnder, weightsWithPrefix } from "./prior.ts";

/** Weights of a conditional batch norm, and those of the plain one in its place. */
const CONDITIONAL = [
  [/\.weights\.weight$/, ".weight"],
  [/\.biases\.weight$/, ".bias"],
] as const;

const conditionalNorm = (name: string) => CONDITIONAL.find(([conditional]) => conditional.test(name));

/** Whether a weight of a generator is a conditional batch norm's, by its name. */
export const isOfClasses = (name: string): boolean => conditionalNorm(name) !== undefined;

/**
 * First weights of a GAN with classes whose generator is that of one without: every class starts as what the images have in common. The
 * discriminator is random.
 * @throws UserError for generators of different sizes.
 */
export function withClasses(networks: PriorNetworks, start: StateDict, seed: number): StateDict {
  const given = weightsUnder(GENERATOR, start);
  const first = firstWeights(networks, seed);
  const generator = Object.fromEntries(
    Object.entries(weightsUnder(GENERATOR, first)).map(([name, random]) => [name, started(given, name, random)]),
  );
  return { ...first, ...weightsWithPrefix(GENERATOR, generator) };
}

function started(given: StateDict, name: string, random: FloatTensor): FloatTensor {
  const norm = conditionalNorm(name);
  const from = norm === undefined ? name : name.replace(norm[0], norm[1]);
  const wanted = norm === undefined ? random.shape : random.shape.slice(1);
  const found = given[from];
  if (found === undefined || !sameShape(found.shape, wanted))
    throw new UserError(
      `a prior that starts from dcgan has its latent, width and kernel: ${from} is [${wanted.join(", ")}] here, ${found === undefined ? "absent" : `[${found.shape.join(", ")}]`} there`,
    );
  if (norm === undefined) return found;
  const rows = new Float32Array(random.data.length);
  for (let at = 0; at < rows.length; at += found.data.length) rows.set(found.data, at);
  return tensor(rows, random.shape);
}
