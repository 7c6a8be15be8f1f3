import { fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import { expect, test } from "vitest";
import type { AttackSpec, TrainSpec } from "../../bench/case.ts";
import { buildStep, type StepSpec } from "../../bench/steps/index.ts";
import { buildClassifier } from "../../bench/steps/model.ts";
import { priorNetworks } from "../../bench/steps/prior.ts";
import { toOnnx } from "../../src/engine/lowering.ts";
import type { StateDict } from "../../src/engine/store.ts";
import { filled } from "../../src/engine/tensor.ts";
import type { WeightSpec } from "../../src/models/layer.ts";
import { weightsOf } from "../../src/models/model.ts";
import { DISCRIMINATOR, GENERATOR, weightsWithPrefix } from "../../src/priors/prior.ts";

// A fusion or a folding that is lost makes no result wrong, only everything slow. It shows here, as a changed number of nodes of some
// type or of bytes stored in the graph. After a change that means to change them: `npx vitest run test/engine/graph-size.test.ts -u`.
// `test/bench/steps.test.ts` says that these graphs are those of training and attack.

const BATCH = 16;
const SIDE = 64;
/** Channels of a block on processors with AVX-512. */
const BLOCK = 16;
const resnet = { model: "resnet18", width: 64, side: SIDE, classes: 1000, batch: BATCH } as const;

/** Weights of the right shapes; a graph's size does not depend on their numbers. */
const zeros = (specs: readonly WeightSpec[]): StateDict =>
  Object.fromEntries(specs.map(({ name, shape }) => [name, filled(shape, 0)]));

function trainState(spec: TrainSpec): StateDict {
  return {
    ...zeros(weightsOf(buildClassifier(spec))),
    images: filled([BATCH, 3, SIDE, SIDE], 0),
    targets: filled([BATCH, spec.classes], 0),
  };
}

function attackState(spec: AttackSpec): StateDict {
  const { latent, generator, discriminator } = priorNetworks(spec);
  return {
    ...weightsWithPrefix("target/", zeros(weightsOf(buildClassifier(spec)))),
    ...weightsWithPrefix(GENERATOR, zeros(generator.weights)),
    ...weightsWithPrefix(DISCRIMINATOR, zeros(discriminator.weights)),
    z: filled([BATCH, latent], 0),
    labels: filled([BATCH], 0),
  };
}

/** Nodes of each type, in the order of their names, and bytes of the tensors that the file holds. */
function sizeOfStep(spec: StepSpec, state: StateDict): { nodes: Record<string, number>; storedBytes: number } {
  const { outputs, updates } = buildStep(spec, state);
  const renamed = Object.fromEntries(Object.entries(updates).map(([name, v]) => [`update/${name}`, v]));
  const graph = fromBinary(ModelProtoSchema, toOnnx({ outputs: { ...outputs, ...renamed }, block: BLOCK })).graph!;
  const nodes: Record<string, number> = {};
  for (const type of graph.node.map(({ opType }) => opType).sort()) nodes[type] = (nodes[type] ?? 0) + 1;
  return { nodes, storedBytes: graph.initializer.reduce((sum, { rawData }) => sum + rawData.length, 0) };
}

test.each<TrainSpec>([
  { kind: "train", ...resnet, boundary: null },
  { kind: "train", ...resnet, boundary: "layer3" },
])("the graph of a training step of resnet18 with boundary $boundary has its known size", (spec) => {
  expect(sizeOfStep(spec, trainState(spec))).toMatchSnapshot();
});

test("the graph of an attack step on resnet18 has its known size", () => {
  const spec: AttackSpec = { kind: "gmi", ...resnet, priorWidth: 64 };
  expect(sizeOfStep(spec, attackState(spec))).toMatchSnapshot();
});
