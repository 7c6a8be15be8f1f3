import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { batchNorm, conv, flatten, linear, maxPool, relu, sequential } from "./layers.ts";
import { defineModel, type Stage } from "./model.ts";

/** Convolutions of each block of configuration D (Simonyan & Zisserman 2015, table 1), in units of the first block's channels. */
const BLOCKS: readonly (readonly number[])[] = [
  [1, 1],
  [2, 2],
  [4, 4, 4],
  [8, 8, 8],
  [8, 8, 8],
];

/**
 * VGG16 with batch norm as torchvision names it (`features.0` … `features.43`), and the field's head: the 512-channel map flattened,
 * batch norm, one linear layer (released TL-DMI code, VGG16_TL). Stages block1.conv1 … block5.conv3; `freeze: block4` means its last one.
 */
export const vgg16Bn = defineModel({
  kind: "vgg16_bn",
  summary: "13 convolutions in five blocks, with batch norm; 14.7 M parameters in its features at width 64",
  paper: "Simonyan & Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015",
  config: z.strictObject({
    width: z
      .number()
      .int()
      .min(4)
      .max(128)
      .default(64)
      .describe("channels of the first block; the last two have eight times as many"),
  }),
  build({ width }, { input, classes }) {
    const side = input[1] / 32;
    if (!Number.isInteger(side) || input[1] !== input[2]) {
      throw new UserError(
        `vgg16_bn: images of ${input[1]}×${input[2]} cannot be halved five times, use squares of 32, 64, 96, …`,
      );
    }
    const units = BLOCKS.flatMap((block, i) =>
      block.map((to, j) => ({ name: `block${i + 1}.conv${j + 1}`, to, last: j + 1 === block.length })),
    );
    let index = 0;
    let from = input[0];
    const stages: Stage[] = units.map(({ name, to, last }, i) => {
      const channels = to * width;
      const layers = [
        conv(`features.${index}`, from, channels, 3, { padding: 1 }),
        batchNorm(`features.${index + 1}`, channels),
        relu,
      ];
      if (last) layers.push(maxPool({ kernel: 2 }));
      if (i === units.length - 1) layers.push(flatten);
      index += last ? 4 : 3;
      from = channels;
      return { name, layer: sequential(...layers) };
    });
    const features = from * side * side;
    const neck = batchNorm("bn", features);
    return {
      kind: "vgg16_bn",
      stages,
      neck,
      head: sequential(neck, linear("fc", features, classes)),
      features,
      classes,
      input,
    };
  },
});
