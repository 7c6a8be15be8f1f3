import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { batchNorm, conv, flatten, linear, maxPool, relu, sequential } from "./layers.ts";
import { defineModel, type Model, type ModelShape, type Stage } from "./model.ts";

/** Channels of the five blocks, in units of the first one's (Simonyan & Zisserman 2015, table 1). */
const UNITS = [1, 2, 4, 8, 8] as const;

/** Convolutions of the five blocks in the paper's configurations A, B, D and E. */
const CONVOLUTIONS = {
  vgg11_bn: [1, 1, 2, 2, 2],
  vgg13_bn: [2, 2, 2, 2, 2],
  vgg16_bn: [2, 2, 3, 3, 3],
  vgg19_bn: [2, 2, 4, 4, 4],
} as const;

const config = z.strictObject({
  width: z
    .number()
    .int()
    .min(4)
    .max(128)
    .default(64)
    .describe("channels of the first block; the last two have eight times as many"),
});

function buildVgg(kind: keyof typeof CONVOLUTIONS, width: number, { input, classes }: ModelShape): Model {
  const side = input[1] / 32;
  if (!Number.isInteger(side) || input[1] !== input[2]) {
    throw new UserError(
      `${kind}: images of ${input[1]}×${input[2]} cannot be halved five times, use squares of 32, 64, 96, …`,
    );
  }
  const units = CONVOLUTIONS[kind].flatMap((count, i) =>
    Array.from({ length: count }, (_, j) => ({
      name: `block${i + 1}.conv${j + 1}`,
      channels: UNITS[i]! * width,
      last: j + 1 === count,
    })),
  );
  let index = 0;
  let from = input[0];
  const stages: Stage[] = units.map(({ name, channels, last }, i) => {
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
    kind,
    stages,
    neck,
    head: sequential(neck, linear("fc", features, classes)),
    // The field's released classifiers name torchvision's `features` so, and the head `fc_layer`.
    respell: (name) => name.replace(/^feature\./, "features.").replace(/^fc_layer\./, "fc."),
    features,
    classes,
    input,
  };
}

/**
 * VGG with batch norm as torchvision names it (`features.0` …), and the field's head: the map flattened, batch norm, one linear layer
 * (released TL-DMI code, VGG16_TL). Stages block1.conv1 …; `freeze: block4` means its last one.
 */
const defineVgg = <const Kind extends keyof typeof CONVOLUTIONS>(kind: Kind, convolutions: number, millions: string) =>
  defineModel({
    kind,
    summary: `${convolutions} convolutions in five blocks, with batch norm; ${millions} M parameters in its features at width 64`,
    paper: "Simonyan & Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015",
    config,
    build: ({ width }, shape) => buildVgg(kind, width, shape),
  });

export const vgg11Bn = defineVgg("vgg11_bn", 8, "9.2");
export const vgg13Bn = defineVgg("vgg13_bn", 10, "9.4");
export const vgg16Bn = defineVgg("vgg16_bn", 13, "14.7");
export const vgg19Bn = defineVgg("vgg19_bn", 16, "20.0");
