import { createHash } from "node:crypto";
import { type ImportedGraph, importOnnx } from "../../engine/import/import-onnx.ts";
import { openOnnxFile } from "../../engine/import/open-file.ts";
import { refusal } from "../../engine/import/refusal.ts";

/** Operators behind the logits that only turn them into probabilities. */
const PROBABILITIES = ["Softmax", "LogSoftmax", "Sigmoid", "Identity"];

/** An ONNX file as far as the wanted tensor, with its content's hash. */
export interface ClassifierFile {
  readonly graph: ImportedGraph;
  /** The tensor that is wanted; of an output what lies before a final softmax or sigmoid: logits. */
  readonly logits: string;
  /** SHA-256 (hex) of the file, and of files of weights beside it. */
  readonly sha256: string;
}

/**
 * Reads an ONNX classifier from disk.
 * @param tensor the output or inner tensor that is wanted; the file's only output by default
 * @param exact take that very tensor, even if probabilities are in it
 * @throws UserError for a file that cannot be read or imported, and for one with several outputs of which none is named
 */
export function readClassifierFile(path: string, tensor?: string, exact = false): ClassifierFile {
  const { bytes, external, read } = openOnnxFile(path);
  const load = (outputs?: readonly string[]) =>
    importOnnx(bytes, { name: path, external, ...(outputs && { outputs }) });
  const whole = load(tensor === undefined ? undefined : [tensor]);
  if (whole.outputs.length > 1) {
    throw refusal(`${path} has ${whole.outputs.length} outputs; name one as "output": ${whole.outputs.join(", ")}`);
  }
  const logits = exact ? whole.outputs[0]! : beforeProbabilities(whole.nodes, whole.outputs[0]!);
  const graph = logits === whole.outputs[0] ? whole : load([logits]);
  const hash = createHash("sha256").update(bytes);
  for (const name of [...read()].sort()) hash.update(name).update(external(name));
  return { graph, logits, sha256: hash.digest("hex") };
}

function beforeProbabilities(nodes: ImportedGraph["nodes"], output: string): string {
  const maker = nodes.find((node) => node.outputs[0] === output);
  return maker !== undefined && PROBABILITIES.includes(maker.op)
    ? beforeProbabilities(nodes, maker.inputs[0]!)
    : output;
}
