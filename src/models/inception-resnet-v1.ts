import { z } from "zod";
import { mul } from "../engine/ops/elementwise.ts";
import { requireSide } from "./image-side.ts";
import { type ConvSize, type Units, units } from "./inception-units.ts";
import type { Layer } from "./layer.ts";
import {
  batchNorm,
  branches,
  conv,
  globalPool,
  linear,
  maxPool,
  operation,
  relu,
  residual,
  sequential,
} from "./layers.ts";
import { defineModel, type Stage } from "./model.ts";

const half = maxPool({ kernel: 3, stride: 2 });
const POINT: ConvSize = { kernel: 1 };
const AROUND: ConvSize = { kernel: 3, padding: 1 };
const HALVE: ConvSize = { kernel: 3, stride: 2 };
const EPSILON = 1e-3;

/** Branches, a 1×1 convolution back to the map's channels, and a shortcut beside them, which weigh little (section 3.3 of the paper). */
function scaledBlock(u: Units, path: string, channels: number, joined: number, scale: number, parts: Layer): Layer {
  const back = conv(`${path}.conv2d`, u.channels(joined), u.channels(channels), 1);
  return residual(
    sequential(
      parts,
      back,
      operation((x) => mul(x, scale)),
    ),
  );
}

const block35 = (u: Units, path: string): Layer =>
  sequential(
    scaledBlock(
      u,
      path,
      256,
      96,
      0.17,
      branches(
        u.one(`${path}.branch0`, 256, 32, POINT),
        u.chain(256, [`${path}.branch1.0`, 32, POINT], [`${path}.branch1.1`, 32, AROUND]),
        u.chain(
          256,
          [`${path}.branch2.0`, 32, POINT],
          [`${path}.branch2.1`, 32, AROUND],
          [`${path}.branch2.2`, 32, AROUND],
        ),
      ),
    ),
    relu,
  );

const block17 = (u: Units, path: string): Layer =>
  sequential(
    scaledBlock(
      u,
      path,
      896,
      256,
      0.1,
      branches(
        u.one(`${path}.branch0`, 896, 128, POINT),
        u.chain(
          896,
          [`${path}.branch1.0`, 128, POINT],
          [`${path}.branch1.1`, 128, { kernel: [1, 7], padding: [0, 3] }],
          [`${path}.branch1.2`, 128, { kernel: [7, 1], padding: [3, 0] }],
        ),
      ),
    ),
    relu,
  );

const block8 = (u: Units, path: string, scale: number): Layer =>
  scaledBlock(
    u,
    path,
    1792,
    384,
    scale,
    branches(
      u.one(`${path}.branch0`, 1792, 192, POINT),
      u.chain(
        1792,
        [`${path}.branch1.0`, 192, POINT],
        [`${path}.branch1.1`, 192, { kernel: [1, 3], padding: [0, 1] }],
        [`${path}.branch1.2`, 192, { kernel: [3, 1], padding: [1, 0] }],
      ),
    ),
  );

const mixed6a = (u: Units): Layer =>
  branches(
    u.one("mixed_6a.branch0", 256, 384, HALVE),
    u.chain(
      256,
      ["mixed_6a.branch1.0", 192, POINT],
      ["mixed_6a.branch1.1", 192, AROUND],
      ["mixed_6a.branch1.2", 256, HALVE],
    ),
    half,
  );

const mixed7a = (u: Units): Layer =>
  branches(
    u.chain(896, ["mixed_7a.branch0.0", 256, POINT], ["mixed_7a.branch0.1", 384, HALVE]),
    u.chain(896, ["mixed_7a.branch1.0", 256, POINT], ["mixed_7a.branch1.1", 256, HALVE]),
    u.chain(
      896,
      ["mixed_7a.branch2.0", 256, POINT],
      ["mixed_7a.branch2.1", 256, AROUND],
      ["mixed_7a.branch2.2", 256, HALVE],
    ),
    half,
  );

/** Below this a map in the network has no pixel left. */
const LEAST_SIDE = 75;
const EMBEDDING = 512;

/**
 * Inception-ResNet v1 with the names of the FaceNet weights that are published for PyTorch (VGGFace2, CASIA-WebFace; they see images
 * in [−1, 1]: `normalize: half`). Stages conv2d_1a … block8, then the 512-d embedding. Without dropout.
 */
export const inceptionResnetV1 = defineModel({
  kind: "inception_resnet_v1",
  summary:
    "FaceNet's network: residual Inception blocks and a 512-d embedding; 23.5 M parameters; images of at least 75×75",
  paper:
    "Szegedy et al., Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning, AAAI 2017; " +
    "Schroff et al., FaceNet, CVPR 2015",
  config: z.strictObject({
    width: z.number().gt(0).max(2).default(1).describe("factor on every number of channels"),
  }),
  build({ width }, { input, classes }) {
    requireSide("inception_resnet_v1", input, LEAST_SIDE);
    const u = units(width, EPSILON);
    const features = u.channels(EMBEDDING);
    const embedding = sequential(
      globalPool,
      linear("last_linear", u.channels(1792), features, { bias: false }),
      batchNorm("last_bn", features, EPSILON),
    );
    const repeated = (path: string, count: number, block: (path: string) => Layer): Stage[] =>
      Array.from({ length: count }, (_, i) => ({ name: `${path}.${i}`, layer: block(`${path}.${i}`) }));
    const stages: Stage[] = [
      { name: "conv2d_1a", layer: u.image("conv2d_1a", input[0], 32, HALVE) },
      { name: "conv2d_2a", layer: u.one("conv2d_2a", 32, 32, { kernel: 3 }) },
      { name: "conv2d_2b", layer: sequential(u.one("conv2d_2b", 32, 64, AROUND), half) },
      { name: "conv2d_3b", layer: u.one("conv2d_3b", 64, 80, POINT) },
      { name: "conv2d_4a", layer: u.one("conv2d_4a", 80, 192, { kernel: 3 }) },
      { name: "conv2d_4b", layer: u.one("conv2d_4b", 192, 256, HALVE) },
      ...repeated("repeat_1", 5, (path) => block35(u, path)),
      { name: "mixed_6a", layer: mixed6a(u) },
      ...repeated("repeat_2", 10, (path) => block17(u, path)),
      { name: "mixed_7a", layer: mixed7a(u) },
      ...repeated("repeat_3", 5, (path) => sequential(block8(u, path, 0.2), relu)),
      { name: "block8", layer: sequential(block8(u, "block8", 1), embedding) },
    ];
    return { kind: "inception_resnet_v1", stages, head: linear("logits", features, classes), features, classes, input };
  },
});
