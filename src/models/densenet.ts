import { z } from "zod";
import { concat } from "../engine/ops/movement.ts";
import { requireMultiple } from "./image-side.ts";
import { constantInitial, heFanIn } from "./initial.ts";
import type { Layer } from "./layer.ts";
import { avgPool, batchNorm, conv, globalPool, linear, maxPool, relu, sequential } from "./layers.ts";
import { defineModel, type Model, type ModelShape, type Stage } from "./model.ts";

const unbiased = { bias: false, initial: heFanIn } as const;
/** Inner channels of a layer in units of the growth rate (Huang et al. 2017, section 3, "bottleneck layers"). */
const BOTTLENECK = 4;

/** A layer whose result is joined to its input. */
function denseLayer(path: string, from: number, growth: number): Layer {
  const layer = sequential(
    batchNorm(`${path}.norm1`, from),
    relu,
    conv(`${path}.conv1`, from, BOTTLENECK * growth, 1, unbiased),
    batchNorm(`${path}.norm2`, BOTTLENECK * growth),
    relu,
    conv(`${path}.conv2`, BOTTLENECK * growth, growth, 3, { ...unbiased, padding: 1 }),
  );
  return { weights: layer.weights, apply: (x, c) => concat([x, layer.apply(x, c)], 1) };
}

/** Half the channels, half the sides. */
function transition(path: string, from: number): Layer {
  return sequential(
    batchNorm(`${path}.norm`, from),
    relu,
    conv(`${path}.conv`, from, Math.floor(from / 2), 1, unbiased),
    avgPool({ kernel: 2 }),
  );
}

function buildDenseNet(kind: string, growth: number, blocks: readonly number[], shape: ModelShape): Model {
  const { input, classes } = shape;
  requireMultiple(kind, input, 32);
  let channels = 2 * growth;
  const stem = sequential(
    conv("features.conv0", input[0], channels, 7, { ...unbiased, stride: 2, padding: 3 }),
    batchNorm("features.norm0", channels),
    relu,
    maxPool({ kernel: 3, stride: 2, padding: 1 }),
  );
  const stages: Stage[] = [{ name: "stem", layer: stem }];
  for (const [i, count] of blocks.entries()) {
    for (let j = 0; j < count; j++) {
      const layer = denseLayer(`features.denseblock${i + 1}.denselayer${j + 1}`, channels, growth);
      stages.push({ name: `block${i + 1}.layer${j + 1}`, layer });
      channels += growth;
    }
    if (i === blocks.length - 1) continue;
    stages.push({ name: `transition${i + 1}`, layer: transition(`features.transition${i + 1}`, channels) });
    channels = Math.floor(channels / 2);
  }
  const end = stages.pop()!;
  const norm = sequential(batchNorm("features.norm5", channels), relu, globalPool);
  stages.push({ name: end.name, layer: sequential(end.layer, norm) });
  return {
    kind,
    stages,
    head: linear("classifier", channels, classes, { biasInitial: constantInitial(0) }),
    // torchvision's own files have the names of an older version: norm.1 for norm1.
    respell: (name) => name.replace(/(\.denselayer\d+\.(?:norm|conv))\.([12]\.)/, "$1$2"),
    features: channels,
    classes,
    input,
  };
}

const growthKey = (growth: number) =>
  z.strictObject({
    growth: z
      .number()
      .int()
      .min(2)
      .max(64)
      .default(growth)
      .describe("channels that each layer adds; the stem has twice as many"),
  });

/** DenseNet with torchvision's names; stages stem, block1.layer1 …, transition1 … */
const defineDenseNet = <const Kind extends string>(
  kind: Kind,
  growth: number,
  blocks: readonly number[],
  size: string,
) =>
  defineModel({
    kind,
    summary: `dense blocks of ${blocks.join(", ")} layers that grow by ${growth} channels; ${size} M parameters`,
    paper: "Huang et al., Densely Connected Convolutional Networks, CVPR 2017",
    config: growthKey(growth),
    build: ({ growth }, shape) => buildDenseNet(kind, growth, blocks, shape),
  });

export const densenet121 = defineDenseNet("densenet121", 32, [6, 12, 24, 16], "8.0");
export const densenet161 = defineDenseNet("densenet161", 48, [6, 12, 36, 24], "28.7");
export const densenet169 = defineDenseNet("densenet169", 32, [6, 12, 32, 32], "14.1");
