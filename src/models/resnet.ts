import { z } from "zod";
import type { Value } from "../engine/graph.ts";
import { relu as reluOp } from "../engine/ops/activation.ts";
import { add, mul } from "../engine/ops/elementwise.ts";
import type { Layer, LayerContext } from "./layer.ts";
import { batchNorm, conv, globalPool, linear, maxPool, relu, sequential } from "./layers.ts";
import { defineModel, type Model, type ModelShape, type Stage } from "./model.ts";

const unbiased = { bias: false } as const;

/** What stands beside a block's shortcut. */
type Main = (path: string, from: number, to: number, stride: number) => Layer;

/** torchvision's BasicBlock (He et al. 2016, figure 5 left): two 3×3 convolutions. */
const basic: Main = (path, from, to, stride) =>
  sequential(
    conv(`${path}.conv1`, from, to, 3, { ...unbiased, stride, padding: 1 }),
    batchNorm(`${path}.bn1`, to),
    relu,
    conv(`${path}.conv2`, to, to, 3, { ...unbiased, padding: 1 }),
    batchNorm(`${path}.bn2`, to),
  );

/** A bottleneck's output has so many times its inner channels. */
const EXPANSION = 4;

/** torchvision's Bottleneck (figure 5 right): 1×1, 3×3 with the stride, 1×1. */
const bottleneck: Main = (path, from, to, stride) =>
  sequential(
    conv(`${path}.conv1`, from, to / EXPANSION, 1, unbiased),
    batchNorm(`${path}.bn1`, to / EXPANSION),
    relu,
    conv(`${path}.conv2`, to / EXPANSION, to / EXPANSION, 3, { ...unbiased, stride, padding: 1 }),
    batchNorm(`${path}.bn2`, to / EXPANSION),
    relu,
    conv(`${path}.conv3`, to / EXPANSION, to, 1, unbiased),
    batchNorm(`${path}.bn3`, to),
  );

const mains = { basic, bottleneck } as const;

/** A block: its main part beside a shortcut, times a factor. */
function residualBlock(main: Layer, path: string, from: number, to: number, stride: number, factor: number): Layer {
  const shortcut =
    stride === 1 && from === to
      ? undefined
      : sequential(
          conv(`${path}.downsample.0`, from, to, 1, { ...unbiased, stride }),
          batchNorm(`${path}.downsample.1`, to),
        );
  if (factor === 0) return sequential(main, relu);
  return {
    weights: [...main.weights, ...(shortcut?.weights ?? [])],
    apply: (x: Value, c: LayerContext) => reluOp(add(main.apply(x, c), mul(shortcut?.apply(x, c) ?? x, factor))),
  };
}

const stems = {
  /** torchvision's: 7×7 with stride 2, then a 3×3 max pool with stride 2. A quarter of each side is left. */
  imagenet: (from: number, to: number) => [
    conv("conv1", from, to, 7, { ...unbiased, stride: 2, padding: 3 }),
    batchNorm("bn1", to),
    relu,
    maxPool({ kernel: 3, stride: 2, padding: 1 }),
  ],
  /** For 64×64: 3×3 with stride 1, then a 2×2 max pool. Half of each side is left. */
  small: (from: number, to: number) => [
    conv("conv1", from, to, 3, { ...unbiased, padding: 1 }),
    batchNorm("bn1", to),
    relu,
    maxPool({ kernel: 2 }),
  ],
} as const;

const config = z.strictObject({
  width: z
    .number()
    .int()
    .min(4)
    .max(256)
    .default(64)
    .describe("channels of the first stage; each later stage doubles them"),
  stem: z
    .enum(["imagenet", "small"])
    .default("small")
    .describe("small: 3×3 stem for 32×32 to 64×64; imagenet: 7×7 as in torchvision"),
});

const doubling = (width: number) => [1, 2, 4, 8].map((n) => n * width);

/** Stages of the given numbers of blocks and channels; torchvision's names, so that its state dicts fit. */
export function buildResNet(
  kind: string,
  blocks: readonly number[],
  widths: readonly number[],
  stem: keyof typeof stems,
  { input, classes }: ModelShape,
  block: keyof typeof mains = "basic",
): Model {
  const stemChannels = block === "basic" ? widths[0]! : widths[0]! / EXPANSION;
  const places = blocks.flatMap((count, i) =>
    Array.from({ length: count }, (_, j) => ({
      group: `layer${i + 1}`,
      name: `layer${i + 1}.${j}`,
      from: j > 0 ? widths[i]! : i > 0 ? widths[i - 1]! : stemChannels,
      to: widths[i]!,
      stride: j === 0 && i > 0 ? 2 : 1,
      last: i === blocks.length - 1 && j === count - 1,
    })),
  );
  const stageAt = ({ name, from, to, stride, last }: (typeof places)[number], factor: number): Stage => {
    const layer = residualBlock(mains[block](name, from, to, stride), name, from, to, stride, factor);
    return { name, layer: last ? sequential(layer, globalPool) : layer };
  };
  const stemStage = { name: "stem", layer: sequential(...stems[stem](input[0], stemChannels)) };
  const plain = places.map((place) => stageAt(place, 1));
  const features = widths.at(-1)!;
  return {
    kind,
    stages: [stemStage, ...plain],
    shortcuts: (group, factor) => [
      stemStage,
      ...places.map((place, i) => (place.group === group ? stageAt(place, factor) : plain[i]!)),
    ],
    head: linear("fc", features, classes),
    features,
    classes,
    input,
  };
}

const paper = "He et al., Deep Residual Learning for Image Recognition, CVPR 2016";

/** ResNet-18 with torchvision's names; stages stem, layer1.0, layer1.1 … layer4.1. */
export const resnet18 = defineModel({
  kind: "resnet18",
  summary: "18 layers in four stages of two basic blocks; 11.7 M parameters at width 64",
  paper,
  config,
  build: ({ width, stem }, shape) => buildResNet("resnet18", [2, 2, 2, 2], doubling(width), stem, shape),
});

/** The same with one block a stage, for quick runs. */
export const resnet10 = defineModel({
  kind: "resnet10",
  summary: "10 layers in four stages of one basic block, for quick runs; 1.2 M parameters at its width of 32",
  paper,
  config: config.extend({ width: config.shape.width.unwrap().default(32).describe("channels of the first stage") }),
  build: ({ width, stem }, shape) => buildResNet("resnet10", [1, 1, 1, 1], doubling(width), stem, shape),
});

/** ResNet-34 with torchvision's names. */
export const resnet34 = defineModel({
  kind: "resnet34",
  summary: "34 layers in four stages of 3, 4, 6 and 3 basic blocks; 21.8 M parameters at width 64",
  paper,
  config,
  build: ({ width, stem }, shape) => buildResNet("resnet34", [3, 4, 6, 3], doubling(width), stem, shape),
});

const bottlenecks = (kind: string, blocks: readonly number[]) => {
  return ({ width, stem }: z.output<typeof config>, shape: ModelShape) =>
    buildResNet(kind, blocks, doubling(EXPANSION * width), stem, shape, "bottleneck");
};

/** ResNet-50 with torchvision's names. */
export const resnet50 = defineModel({
  kind: "resnet50",
  summary: "50 layers in four stages of 3, 4, 6 and 3 bottlenecks; 25.6 M parameters at width 64",
  paper,
  config,
  build: bottlenecks("resnet50", [3, 4, 6, 3]),
});

/** ResNet-101 with torchvision's names. */
export const resnet101 = defineModel({
  kind: "resnet101",
  summary: "101 layers in four stages of 3, 4, 23 and 3 bottlenecks; 44.5 M parameters at width 64",
  paper,
  config,
  build: bottlenecks("resnet101", [3, 4, 23, 3]),
});

/** ResNet-152 with torchvision's names. */
export const resnet152 = defineModel({
  kind: "resnet152",
  summary: "152 layers in four stages of 3, 8, 36 and 3 bottlenecks; 60.2 M parameters at width 64",
  paper,
  config,
  build: bottlenecks("resnet152", [3, 8, 36, 3]),
});
