import { join } from "node:path";
import { composeDefenses } from "../defenses/compose.ts";
import { writeFileAtomic } from "../engine/atomic-file.ts";
import { input } from "../engine/graph.ts";
import { toOnnx } from "../engine/lowering.ts";
import { encodeSafetensors } from "../engine/safetensors.ts";
import type { StateDict } from "../engine/store.ts";
import { fixed } from "../models/bind.ts";
import { factsMetadata } from "../models/imported/metadata.ts";
import { logitsLayer, type Model } from "../models/model.ts";
import { buildModel, type Choice, chosenDefense } from "./choose.ts";
import { versions } from "./provenance.ts";
import { ARTIFACTS } from "./run-folder.ts";
import { readState, WEIGHTS } from "./state-file.ts";
import { readTargetDescription, type TargetDescription } from "./target-file.ts";

/** A file format for a run's target model. */
export type ExportFormat = "onnx" | "safetensors";

/**
 * Writes the target of a cell's run: a plain ONNX classifier ("images" [batch, C, H, W] in [0, 1] to "logits" [batch, classes]), or
 * safetensors with PyTorch's names; both with what a reader must know as metadata. An imported model may take one image at a time alone:
 * then its file says a batch of 1. Returns the path.
 * @throws UserError where the run has no target.
 */
export async function exportRun(
  runDir: string,
  { format, out }: { format: ExportFormat; out?: string },
): Promise<string> {
  const artifacts = join(runDir, ARTIFACTS);
  const description = await readTargetDescription(artifacts);
  const { classes } = description;
  const shape = { input: description.input, classes: classes.length };
  const plain = buildModel(description.model as Choice, shape);
  const { model } = composeDefenses(plain, description.changes.map(chosenDefense));
  const state = await readState(join(artifacts, WEIGHTS));
  const path = out ?? join(artifacts, `target.${format}`);
  const bytes =
    format === "onnx"
      ? targetOnnx(description, model, state).bytes
      : encodeSafetensors(state, describe(description, "batch"));
  await writeFileAtomic(path, bytes);
  return path;
}

/** Images that an ONNX classifier takes at a time: any number, or one alone. */
export type OnnxBatch = "batch" | 1;

/** A target as the ONNX classifier that `exportRun` writes, with what its description says as metadata. */
export function targetOnnx(
  description: TargetDescription,
  model: Model,
  state: StateDict,
): { readonly bytes: Uint8Array; readonly batch: OnnxBatch } {
  const batch = model.imported === undefined || takesAnyBatch(model, state) ? "batch" : 1;
  const metadata = describe(description, batch);
  return { bytes: toOnnx({ outputs: logitsOf(model, state, 1), anyBatch: batch === "batch", metadata }), batch };
}

/** A classifier of an architecture with its weights as one ONNX model that takes any batch. */
export function classifierOnnx(model: Model, state: StateDict, metadata: Readonly<Record<string, string>>): Uint8Array {
  return toOnnx({ outputs: logitsOf(model, state, 1), anyBatch: true, metadata });
}

/** Whether nothing of the graph on file follows from the batch that it is written for, as what imported graphs compute of it may. */
function takesAnyBatch(model: Model, state: StateDict): boolean {
  const [one, two] = [1, 2].map((batch) => {
    // Large constants are compared where they lie, so that weights are not held several times over.
    const parts: Uint8Array[] = [];
    const graph = toOnnx({
      outputs: logitsOf(model, state, batch),
      anyBatch: true,
      apart: (_name, bytes) => parts.push(bytes),
    });
    return [graph, ...parts];
  });
  return one!.length === two!.length && one!.every((part, i) => Buffer.compare(part, two![i]!) === 0);
}

const logitsOf = (model: Model, state: StateDict, batch: number) => ({
  logits: fixed(state).apply(logitsLayer(model), input("images", [batch, ...model.input])),
});

/** What a reader of the file must know: how images go in (any scaling is in the graph), what classes come out, where it comes from. */
function describe(
  { model, input: size, classes, defense, boundary, data }: TargetDescription,
  batch: OnnxBatch,
): Record<string, string> {
  const [channels] = size;
  const each = (value: number) => Array<number>(channels).fill(value);
  const facts = { range: [0, 1], mean: each(0), std: each(1), channels: "rgb", layout: "nchw" } as const;
  return {
    architecture: model.kind,
    input: `[${batch}, ${size.join(", ")}], values in [0, 1]`,
    ...factsMetadata({ ...facts, labels: classes }, channels),
    defense,
    boundary: boundary ?? "none",
    ...(data !== undefined && { data }),
    "tl-dmi": versions().package,
  };
}
