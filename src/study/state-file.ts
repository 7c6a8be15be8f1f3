import { readFile } from "node:fs/promises";
import { writeFileAtomic } from "../engine/atomic-file.ts";
import { decodeSafetensors, encodeSafetensors, type Precision } from "../engine/safetensors.ts";
import type { StateDict } from "../engine/store.ts";

/** Name of the weights in a step's folder. */
export const WEIGHTS = "model.safetensors";

/** Writes weights; with `float16`, tensors of one axis (biases, norms, statistics) stay float32. */
export function writeState(path: string, state: StateDict, precision: Precision = "float32"): Promise<void> {
  return writeFileAtomic(
    path,
    encodeSafetensors(state, {}, (t) => (t.shape.length > 1 ? precision : "float32")),
  );
}

/** @throws UserError naming the file and the tensor for anything that is no readable safetensors file. */
export async function readState(path: string): Promise<StateDict> {
  return decodeSafetensors(await readFile(path), path).tensors;
}
