import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { UserError } from "../engine/errors.ts";
import { decodeSafetensors } from "../engine/safetensors.ts";
import { sameShape, showShape } from "../engine/shape.ts";
import type { StateDict } from "../engine/store.ts";
import type { Layer } from "../models/layer.ts";

/** Filters that the released code keeps among its tensors; they are the same in every network. */
const FIXED = /\.resample_filter$/;

/**
 * Reads a StyleGAN2-ADA generator (`G_ema.state_dict()`, saved as safetensors) for a generator of the same sizes.
 * @param sha256 the file's digest, where it is known: what the study was planned with
 * @throws UserError that names the file, the first tensor that does not fit, and what would.
 */
export async function readStyleganGenerator(file: string, generator: Layer, sha256?: string): Promise<StateDict> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(`${file}: cannot be read (${error.code}); expected a StyleGAN2-ADA generator as safetensors`);
  });
  if (sha256 !== undefined && createHash("sha256").update(bytes).digest("hex") !== sha256)
    throw new UserError(`${file}: is another file than the study was planned with; run the study again`);
  const { tensors } = decodeSafetensors(bytes, file);
  const wanted = new Map(generator.weights.map(({ name, shape }) => [name, shape]));
  const strange = Object.keys(tensors).find((name) => !wanted.has(name) && !FIXED.test(name));
  if (strange !== undefined)
    throw new UserError(
      `${file}: tensor ${strange} has no place in this generator; do its side and mappingLayers fit?`,
    );
  return Object.fromEntries(
    [...wanted].map(([name, shape]) => {
      const found = tensors[name];
      if (found === undefined) throw new UserError(`${file}: tensor ${name} of shape ${showShape(shape)} is missing`);
      if (!sameShape(found.shape, shape))
        throw new UserError(
          `${file}: tensor ${name} has shape ${showShape(found.shape)}, the generator of these sizes has ${showShape(shape)}`,
        );
      return [name, found];
    }),
  );
}
