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
 * safetensors with PyTorch's names; both with what a reader must know as metadata. Returns the path.
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
    format === "onnx" ? targetOnnx(description, model, state) : encodeSafetensors(state, describe(description));
  await writeFileAtomic(path, bytes);
  return path;
}

/** A target as the ONNX classifier that `exportRun` writes, with what its description says as metadata. */
export function targetOnnx(description: TargetDescription, model: Model, state: StateDict): Uint8Array {
  return classifierOnnx(model, state, describe(description));
}

/** A classifier with its weights as one ONNX model that takes any batch. */
export function classifierOnnx(model: Model, state: StateDict, metadata: Readonly<Record<string, string>>): Uint8Array {
  const images = input("images", [1, ...model.input]);
  return toOnnx({ outputs: { logits: fixed(state).apply(logitsLayer(model), images) }, anyBatch: true, metadata });
}

/** What a reader of the file must know: how images go in (any scaling is in the graph), what classes come out, where it comes from. */
function describe({ model, input: size, classes, defense, boundary, data }: TargetDescription): Record<string, string> {
  const [channels] = size;
  const each = (value: number) => Array<number>(channels).fill(value);
  const facts = { range: [0, 1], mean: each(0), std: each(1), channels: "rgb", layout: "nchw" } as const;
  return {
    architecture: model.kind,
    input: `[batch, ${size.join(", ")}], values in [0, 1]`,
    ...factsMetadata({ ...facts, labels: classes }, channels),
    defense,
    boundary: boundary ?? "none",
    ...(data !== undefined && { data }),
    "tl-dmi": versions().package,
  };
}
