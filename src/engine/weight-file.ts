import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { UserError } from "./errors.ts";
import { refusal } from "./import/refusal.ts";
import { openSafetensors } from "./safetensors.ts";
import type { StoredTensor } from "./stored-tensor.ts";
import { looksLikeTorch, openTorch } from "./torch/torch-file.ts";

/** A file of named weights. */
export interface WeightFile {
  readonly path: string;
  /** SHA-256 (hex) of its bytes. */
  readonly hash: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

const EXPECTED = "weights by name: safetensors, or torch.save(model.state_dict(), path)";

/**
 * Opens a file of weights: safetensors, or what `torch.save` wrote of a state dict (`.pth`, `.pt`, `.bin`, `.tar`), told by its content.
 * Nothing of a file is executed.
 * @throws UserError with the path and what is wrong.
 */
export async function readWeightFile(path: string): Promise<WeightFile> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") throw new UserError(`${path}: no such file; expected ${EXPECTED}`);
    throw new UserError(`${path}: cannot be read: ${error.message}`);
  });
  return { path, hash: createHash("sha256").update(bytes).digest("hex"), tensors: openWeights(bytes, path) };
}

/** The named tensors of a weight file's bytes. @throws UserError as `readWeightFile`. */
export function openWeights(bytes: Uint8Array, file: string): ReadonlyMap<string, StoredTensor> {
  const fail = (what: string): never => {
    throw refusal(`${file}: not a readable PyTorch file: ${what}`);
  };
  if (looksLikeTorch(bytes)) return openTorch(bytes, fail);
  const headed = bytes.length > 8 && bytes[8] === 0x7b;
  if (headed) return openSafetensors(bytes, file).tensors;
  throw new UserError(`${file}: neither a safetensors file nor one that torch.save wrote; expected ${EXPECTED}`);
}
