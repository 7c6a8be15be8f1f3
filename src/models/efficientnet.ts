import { z } from "zod";
import { convNorm, invertedResidual, scaledChannels } from "./inverted-residual.ts";
import { globalPool, linear, sequential, silu } from "./layers.ts";
import { defineModel, type Model, type ModelShape, type Stage } from "./model.ts";

/** Expansion, kernel, stride, channels and blocks of each group of B0 (Tan & Le 2019, table 1). */
const GROUPS = [
  [1, 3, 1, 16, 1],
  [6, 3, 2, 24, 2],
  [6, 5, 2, 40, 2],
  [6, 3, 2, 80, 3],
  [6, 5, 1, 112, 3],
  [6, 5, 2, 192, 4],
  [6, 3, 1, 320, 1],
] as const;
const STEM = 32;
/** Channels after the last group, in units of that group's. */
const LAST = 4;
/** A gate has a quarter of the block's input channels. */
const SQUEEZE = 4;

function build(kind: string, width: number, depth: number, { input, classes }: ModelShape): Model {
  let from = scaledChannels(STEM, width);
  const stages: Stage[] = [
    { name: "stem", layer: convNorm("features.0", input[0], from, 3, { stride: 2, activation: silu }) },
  ];
  for (const [group, [expansion, kernel, stride, channels, count]] of GROUPS.entries()) {
    const to = scaledChannels(channels, width);
    for (let i = 0; i < Math.ceil(count * depth); i++) {
      const path = `features.${group + 1}.${i}.block`;
      const squeezed = Math.max(1, Math.floor(from / SQUEEZE));
      const shape = { from, to, expansion, kernel, stride: i === 0 ? stride : 1, squeezed };
      const layer = invertedResidual(path, shape, silu, (place, inner, out) =>
        convNorm(`${path}.${place}`, inner, out, 1, {}),
      );
      stages.push({ name: `block${group + 1}.${i}`, layer });
      from = to;
    }
  }
  const features = LAST * from;
  const last = convNorm(`features.${GROUPS.length + 1}`, from, features, 1, { activation: silu });
  stages.push({ name: "last", layer: sequential(last, globalPool) });
  return { kind, stages, head: linear("classifier.1", features, classes), features, classes, input };
}

/** EfficientNet with torchvision's names; stages stem, block1.0 … block7.0, last. Without dropout and stochastic depth. */
const defineEfficientNet = <const Kind extends string>(kind: Kind, width: number, depth: number, size: string) =>
  defineModel({
    kind,
    summary: `inverted residuals with gates, ${width} times as wide and ${depth} times as deep as B0; ${size} M parameters`,
    paper: "Tan & Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, ICML 2019",
    config: z.strictObject({
      width: z.number().gt(0).max(4).default(width).describe("factor on B0's channels, rounded to multiples of 8"),
      depth: z.number().gt(0).max(4).default(depth).describe("factor on B0's blocks, rounded up"),
    }),
    build: ({ width, depth }, shape) => build(kind, width, depth, shape),
  });

export const efficientnetB0 = defineEfficientNet("efficientnet_b0", 1, 1, "5.3");
export const efficientnetB1 = defineEfficientNet("efficientnet_b1", 1, 1.1, "7.8");
export const efficientnetB2 = defineEfficientNet("efficientnet_b2", 1.1, 1.2, "9.1");
export const efficientnetB3 = defineEfficientNet("efficientnet_b3", 1.2, 1.4, "12.2");
