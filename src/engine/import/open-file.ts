import { readFileSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, normalize, sep } from "node:path";
import { refusal } from "./refusal.ts";
import type { ExternalData } from "./tensor-proto.ts";

/** An ONNX file on disk, with the files of weights beside it. */
export interface OpenedFile {
  readonly bytes: Uint8Array;
  /** Reads weights beside the model; each file once. */
  readonly external: ExternalData;
  /** Names of the files beside the model that were read so far. */
  read(): readonly string[];
}

/** Largest file of a model or of its weights: more could not be handed to the runtime in one piece. */
const MAX_BYTES = 2 ** 31 - 1;

/** Opens an ONNX file. @throws UserError where it cannot be read. */
export function openOnnxFile(path: string): OpenedFile {
  const folder = dirname(path);
  const files = new Map<string, Uint8Array>();
  const external: ExternalData = (location) => {
    const known = files.get(location);
    if (known !== undefined) return known;
    // A model from elsewhere must not make us read what is not its own.
    const outside = location === "" || isAbsolute(location) || normalize(location).split(sep).includes("..");
    if (outside) throw refusal(`weights are said to lie in "${location}", which is not beside the model`);
    const bytes = readBytes(join(folder, location), "the weights that the model names");
    files.set(location, bytes);
    return bytes;
  };
  return { bytes: readBytes(path, "an ONNX model"), external, read: () => [...files.keys()] };
}

function readBytes(path: string, expected: string): Uint8Array {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat !== undefined) {
      if (!stat.isFile()) throw new Error("it is no file");
      if (stat.size > MAX_BYTES) throw new Error(`it has ${stat.size} bytes, at most ${MAX_BYTES} can be read`);
      return readFileSync(path);
    }
  } catch (error) {
    throw refusal(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  throw refusal(`${path}: no such file; expected ${expected}`);
}
