import { z } from "zod";
import { softmax } from "../engine/ops/activation.ts";
import { add, mul } from "../engine/ops/elementwise.ts";
import { matmul } from "../engine/ops/linear.ts";
import { sliceAxis, transpose } from "../engine/ops/movement.ts";
import { requireMultiple } from "./image-side.ts";
import { constantInitial, normalInitial } from "./initial.ts";
import type { Layer, WeightSpec } from "./layer.ts";
import {
  avgPool,
  batchNorm,
  conv,
  gelu,
  globalPool,
  layerNorm,
  learned,
  linear,
  residual,
  sequential,
  silu,
  squeezeExcite,
  tanh,
} from "./layers.ts";
import { defineModel, type Stage, startingFrom } from "./model.ts";
import { departition, headsOf, joinHeads, partition, positionBias } from "./window.ts";

const DEPTHS = [2, 2, 5, 2] as const;
/** Heads of the first stage; each later stage doubles them with its width. */
const HEADS = 2;
const EXPANSION = 4;
const NORM_EPSILON = 1e-3;

/** The convolution that a block begins with: an inverted residual with a norm before it. */
function mbconv(path: string, from: number, to: number, stride: number): Layer {
  const inner = EXPANSION * to;
  const conva = [
    conv(`${path}.layers.conv_a.0`, from, inner, 1, { bias: false }),
    batchNorm(`${path}.layers.conv_a.1`, inner, NORM_EPSILON),
    gelu,
  ];
  const convb = [
    conv(`${path}.layers.conv_b.0`, inner, inner, 3, { bias: false, stride, padding: 1, groups: inner }),
    batchNorm(`${path}.layers.conv_b.1`, inner, NORM_EPSILON),
    gelu,
  ];
  const main = sequential(
    batchNorm(`${path}.layers.pre_norm`, from, NORM_EPSILON),
    ...conva,
    ...convb,
    squeezeExcite(`${path}.layers.squeeze_excitation`, inner, Math.floor(to / 4), silu),
    conv(`${path}.layers.conv_c`, inner, to, 1),
  );
  if (stride === 1 && from === to) return residual(main);
  const shortcut =
    stride === 1
      ? conv(`${path}.proj.0`, from, to, 1)
      : sequential(avgPool({ kernel: 3, stride, padding: 1 }), conv(`${path}.proj.1`, from, to, 1));
  return residual(main, shortcut);
}

/** Attention among the tokens of each group with a bias by relative place: x [N, groups, side², C]. */
function relativeAttention(path: string, width: number, heads: number, side: number): Layer {
  const [qkv, merge] = [linear(`${path}.to_qkv`, width, 3 * width), linear(`${path}.merge`, width, width)];
  const table = `${path}.relative_position_bias_table`;
  return {
    weights: [learned(table, [(2 * side - 1) ** 2, heads], normalInitial(0.02)), ...qkv.weights, ...merge.weights],
    apply(x, c) {
      const mixed = qkv.apply(x, c);
      const part = (i: number) => headsOf(sliceAxis(mixed, 3, i * width, (i + 1) * width), heads);
      // torchvision scales by the whole width, not by a head's.
      const scores = matmul(part(0), transpose(mul(part(1), width ** -0.5)));
      return merge.apply(joinHeads(matmul(softmax(add(scores, positionBias(c.weight(table), side))), part(2))), c);
    },
  };
}

/** Attention in windows of neighbours, or over a grid of places that lie far apart; x [N, C, H, W]. */
function partitionAttention(path: string, width: number, heads: number, side: number, over: "window" | "grid"): Layer {
  const inner = sequential(
    residual(
      sequential(
        layerNorm(`${path}.attn_layer.0`, width),
        relativeAttention(`${path}.attn_layer.1`, width, heads, side),
      ),
    ),
    residual(
      sequential(
        layerNorm(`${path}.mlp_layer.0`, width),
        linear(`${path}.mlp_layer.1`, width, EXPANSION * width),
        gelu,
        linear(`${path}.mlp_layer.3`, EXPANSION * width, width),
      ),
    ),
  );
  return {
    weights: inner.weights,
    apply(x, c) {
      const [, , h, w] = x.shape as [number, number, number, number];
      const last = transpose(x, [0, 2, 3, 1]);
      const swap = [0, 2, 1, 3];
      if (over === "window") {
        const found = departition(inner.apply(partition(last, side), c), side, h, w);
        return transpose(found, [0, 3, 1, 2]);
      }
      // A grid's tokens are the same place of every window of the other size.
      const apart = h / side;
      const found = transpose(inner.apply(transpose(partition(last, apart), swap), c), swap);
      return transpose(departition(found, apart, h, w), [0, 3, 1, 2]);
    },
  };
}

/** Channels of the published first stage. */
const PUBLISHED_WIDTH = 64;

/**
 * torchvision's first weights: kernels and tables normal, biases zero. Their deviation is for the published width; a narrower network adds up
 * fewer numbers, and with the same deviation hardly learns in its first epochs.
 */
const firstAt =
  (width: number) =>
  ({ name, shape }: WeightSpec) => {
    if (shape.length > 1) return normalInitial(0.02 * Math.sqrt(PUBLISHED_WIDTH / width));
    return name.endsWith(".bias") ? constantInitial(0) : undefined;
  };

/** MaxViT-T with torchvision's names; stages stem, block1.0 … block4.1. The head keeps torchvision's norm and tanh layer. */
export const maxvitT = defineModel({
  kind: "maxvit_t",
  summary:
    "convolution, attention in windows and over grids, in four stages of 2, 2, 5 and 2 blocks; 30.9 M parameters at 224×224",
  paper: "Tu et al., MaxViT: Multi-Axis Vision Transformer, ECCV 2022",
  config: z.strictObject({
    width: z
      .number()
      .int()
      .min(4)
      .max(128)
      .multipleOf(4)
      .default(PUBLISHED_WIDTH)
      .describe("channels of stem and first stage, in two heads; each later stage doubles both"),
    partition: z
      .number()
      .int()
      .min(1)
      .max(16)
      .default(7)
      .describe("side of windows and grids; images' sides are multiples of 32 of them: 7 for 224, 2 for 64"),
  }),
  build({ width, partition: side }, { input, classes }) {
    requireMultiple(`maxvit_t with partition ${side}`, input, 32 * side);
    const stem = sequential(
      conv("stem.0.0", input[0], width, 3, { bias: false, stride: 2, padding: 1 }),
      batchNorm("stem.0.1", width, NORM_EPSILON),
      gelu,
      conv("stem.1.0", width, width, 3, { padding: 1 }),
    );
    const stages: Stage[] = [{ name: "stem", layer: stem }];
    let from = width;
    for (const [group, depth] of DEPTHS.entries()) {
      const to = width * 2 ** group;
      const heads = HEADS * 2 ** group;
      for (let i = 0; i < depth; i++) {
        const path = `blocks.${group}.layers.${i}.layers`;
        const layer = sequential(
          mbconv(`${path}.MBconv`, from, to, i === 0 ? 2 : 1),
          partitionAttention(`${path}.window_attention`, to, heads, side, "window"),
          partitionAttention(`${path}.grid_attention`, to, heads, side, "grid"),
        );
        stages.push({ name: `block${group + 1}.${i}`, layer });
        from = to;
      }
    }
    const last = stages.pop()!;
    stages.push({ name: last.name, layer: sequential(last.layer, globalPool) });
    const neck = sequential(layerNorm("classifier.2", from), linear("classifier.3", from, from), tanh);
    const model = {
      kind: "maxvit_t",
      stages,
      neck,
      neckFromStart: true as const,
      head: sequential(neck, linear("classifier.5", from, classes, { bias: false })),
      features: from,
      classes,
      input,
    };
    return startingFrom(model, firstAt(width));
  },
});
