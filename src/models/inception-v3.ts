import { z } from "zod";
import { requireSide } from "./image-side.ts";
import { type ConvSize, type Units, units } from "./inception-units.ts";
import { normalInitial } from "./initial.ts";
import type { Layer, WeightSpec } from "./layer.ts";
import { avgPool, branches, globalPool, linear, maxPool, sequential } from "./layers.ts";
import { defineModel, startingFrom } from "./model.ts";

const half = maxPool({ kernel: 3, stride: 2 });
const around = avgPool({ kernel: 3, stride: 1, padding: 1 });
const ROW: ConvSize = { kernel: [1, 7], padding: [0, 3] };
const COLUMN: ConvSize = { kernel: [7, 1], padding: [3, 0] };
const SHORT_ROW: ConvSize = { kernel: [1, 3], padding: [0, 1] };
const SHORT_COLUMN: ConvSize = { kernel: [3, 1], padding: [1, 0] };
const POINT: ConvSize = { kernel: 1 };
const AROUND: ConvSize = { kernel: 3, padding: 1 };
const HALVE: ConvSize = { kernel: 3, stride: 2 };

/** Figure 5 of the paper: a 5×5 and two 3×3 convolutions beside a pool. */
const mixA = (u: Units, path: string, from: number, pool: number): Layer =>
  branches(
    u.one(`${path}.branch1x1`, from, 64, POINT),
    u.chain(from, [`${path}.branch5x5_1`, 48, POINT], [`${path}.branch5x5_2`, 64, { kernel: 5, padding: 2 }]),
    u.chain(
      from,
      [`${path}.branch3x3dbl_1`, 64, POINT],
      [`${path}.branch3x3dbl_2`, 96, AROUND],
      [`${path}.branch3x3dbl_3`, 96, AROUND],
    ),
    sequential(around, u.one(`${path}.branch_pool`, from, pool, POINT)),
  );

/** Figure 10: half the sides. */
const mixB = (u: Units, path: string, from: number): Layer =>
  branches(
    u.one(`${path}.branch3x3`, from, 384, HALVE),
    u.chain(
      from,
      [`${path}.branch3x3dbl_1`, 64, POINT],
      [`${path}.branch3x3dbl_2`, 96, AROUND],
      [`${path}.branch3x3dbl_3`, 96, HALVE],
    ),
    half,
  );

/** Figure 6 with n = 7: convolutions along rows and columns. */
const mixC = (u: Units, path: string, from: number, inner: number): Layer =>
  branches(
    u.one(`${path}.branch1x1`, from, 192, POINT),
    u.chain(
      from,
      [`${path}.branch7x7_1`, inner, POINT],
      [`${path}.branch7x7_2`, inner, ROW],
      [`${path}.branch7x7_3`, 192, COLUMN],
    ),
    u.chain(
      from,
      [`${path}.branch7x7dbl_1`, inner, POINT],
      [`${path}.branch7x7dbl_2`, inner, COLUMN],
      [`${path}.branch7x7dbl_3`, inner, ROW],
      [`${path}.branch7x7dbl_4`, inner, COLUMN],
      [`${path}.branch7x7dbl_5`, 192, ROW],
    ),
    sequential(around, u.one(`${path}.branch_pool`, from, 192, POINT)),
  );

const mixD = (u: Units, path: string, from: number): Layer =>
  branches(
    u.chain(from, [`${path}.branch3x3_1`, 192, POINT], [`${path}.branch3x3_2`, 320, HALVE]),
    u.chain(
      from,
      [`${path}.branch7x7x3_1`, 192, POINT],
      [`${path}.branch7x7x3_2`, 192, ROW],
      [`${path}.branch7x7x3_3`, 192, COLUMN],
      [`${path}.branch7x7x3_4`, 192, HALVE],
    ),
    half,
  );

/** Figure 7: wide, for the smallest maps. */
const mixE = (u: Units, path: string, from: number): Layer => {
  const both = (name: string) =>
    branches(u.one(`${path}.${name}a`, 384, 384, SHORT_ROW), u.one(`${path}.${name}b`, 384, 384, SHORT_COLUMN));
  return branches(
    u.one(`${path}.branch1x1`, from, 320, POINT),
    sequential(u.one(`${path}.branch3x3_1`, from, 384, POINT), both("branch3x3_2")),
    sequential(
      u.chain(from, [`${path}.branch3x3dbl_1`, 448, POINT], [`${path}.branch3x3dbl_2`, 384, AROUND]),
      both("branch3x3dbl_3"),
    ),
    sequential(around, u.one(`${path}.branch_pool`, from, 192, POINT)),
  );
};

/** Below this a map in the network has no pixel left. */
const LEAST_SIDE = 75;

/** torchvision's first weights: kernels normal, all with one deviation. */
const first = ({ shape }: WeightSpec) => (shape.length > 1 ? normalInitial(0.1) : undefined);

/**
 * Inception v3 with torchvision's names, which are also its stages': Conv2d_1a_3x3 … Mixed_7c. Without the auxiliary classifier and
 * dropout. torchvision's weights see images in [−1, 1] (its `transform_input`): `normalize: half`.
 */
export const inceptionV3 = defineModel({
  kind: "inception_v3",
  summary: "factorised convolutions in eleven mixed blocks; 23.8 M parameters; images of at least 75×75",
  paper: "Szegedy et al., Rethinking the Inception Architecture for Computer Vision, CVPR 2016",
  config: z.strictObject({
    width: z.number().gt(0).max(2).default(1).describe("factor on every number of channels"),
  }),
  build({ width }, { input, classes }) {
    requireSide("inception_v3", input, LEAST_SIDE);
    const u = units(width, 1e-3);
    const stem = u.image("Conv2d_1a_3x3", input[0], 32, HALVE);
    const stages: readonly (readonly [string, Layer])[] = [
      ["Conv2d_1a_3x3", stem],
      ["Conv2d_2a_3x3", u.one("Conv2d_2a_3x3", 32, 32, { kernel: 3 })],
      ["Conv2d_2b_3x3", sequential(u.one("Conv2d_2b_3x3", 32, 64, AROUND), half)],
      ["Conv2d_3b_1x1", u.one("Conv2d_3b_1x1", 64, 80, POINT)],
      ["Conv2d_4a_3x3", sequential(u.one("Conv2d_4a_3x3", 80, 192, { kernel: 3 }), half)],
      ["Mixed_5b", mixA(u, "Mixed_5b", 192, 32)],
      ["Mixed_5c", mixA(u, "Mixed_5c", 256, 64)],
      ["Mixed_5d", mixA(u, "Mixed_5d", 288, 64)],
      ["Mixed_6a", mixB(u, "Mixed_6a", 288)],
      ["Mixed_6b", mixC(u, "Mixed_6b", 768, 128)],
      ["Mixed_6c", mixC(u, "Mixed_6c", 768, 160)],
      ["Mixed_6d", mixC(u, "Mixed_6d", 768, 160)],
      ["Mixed_6e", mixC(u, "Mixed_6e", 768, 192)],
      ["Mixed_7a", mixD(u, "Mixed_7a", 768)],
      ["Mixed_7b", mixE(u, "Mixed_7b", 1280)],
      ["Mixed_7c", sequential(mixE(u, "Mixed_7c", 2048), globalPool)],
    ];
    const features = u.channels(2048);
    const model = {
      kind: "inception_v3",
      stages: stages.map(([name, layer]) => ({ name, layer })),
      head: linear("fc", features, classes),
      features,
      classes,
      input,
    };
    return startingFrom(model, first);
  },
});
