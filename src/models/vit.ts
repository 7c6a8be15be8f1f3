import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { constant, type Value } from "../engine/graph.ts";
import { add } from "../engine/ops/elementwise.ts";
import { attention, linear as linearOp } from "../engine/ops/linear.ts";
import { concat, pad, reshape, sliceAxis, transpose } from "../engine/ops/movement.ts";
import { filled } from "../engine/tensor.ts";
import { requireMultiple } from "./image-side.ts";
import { constantInitial, lecunNormal, normalInitial, xavierUniform } from "./initial.ts";
import type { Layer } from "./layer.ts";
import { conv, gelu, layerNorm, learned, linear, operation, residual, sequential } from "./layers.ts";
import { defineModel } from "./model.ts";

const PATCH = 16;
const DEPTH = 12;
const HEADS = 12;
const EPSILON = 1e-6;

/** Patches as tokens, a class token before them, and each place's embedding: [N, C, H, W] → [N, 1 + HW/256, width]. */
function embedding(channels: number, width: number, patches: number): Layer {
  const patch = conv("conv_proj", channels, width, PATCH, {
    stride: PATCH,
    initial: lecunNormal,
    biasInitial: constantInitial(0),
  });
  const [token, place] = ["class_token", "encoder.pos_embedding"];
  return {
    weights: [
      learned(token!, [1, 1, width], constantInitial(0)),
      ...patch.weights,
      learned(place!, [1, patches + 1, width], normalInitial(0.02)),
    ],
    apply(x, c) {
      const n = x.shape[0]!;
      const tokens = transpose(reshape(patch.apply(x, c), [n, width, patches]));
      // The class token is added to a row of zeros rather than repeated, so that the graph takes any batch.
      const zeros = constant(filled([1, patches, width], 0));
      const always = add(concat([c.weight(token!), zeros], 1), c.weight(place!));
      return add(pad(tokens, [0, 1, 0], [0, 0, 0]), always);
    },
  };
}

/** PyTorch's MultiheadAttention of a sequence with itself: [N, T, width] → [N, T, width]. */
function selfAttention(path: string, width: number): Layer {
  const out = linear(`${path}.out_proj`, width, width, { biasInitial: constantInitial(0) });
  const [weight, bias] = [`${path}.in_proj_weight`, `${path}.in_proj_bias`];
  return {
    weights: [
      learned(weight, [3 * width, width], xavierUniform()),
      learned(bias, [3 * width], constantInitial(0)),
      ...out.weights,
    ],
    apply(x, c) {
      const [n, tokens] = x.shape as [number, number];
      const mixed = linearOp(x, c.weight(weight), c.weight(bias));
      const heads = (part: number): Value => {
        const own = sliceAxis(mixed, 2, part * width, (part + 1) * width);
        return transpose(reshape(own, [n, tokens, HEADS, width / HEADS]), [0, 2, 1, 3]);
      };
      const joined = transpose(attention(heads(0), heads(1), heads(2)), [0, 2, 1, 3]);
      return out.apply(reshape(joined, [n, tokens, width]), c);
    },
  };
}

/** A linear layer of an MLP as torchvision starts it. */
const mlp = (path: string, from: number, to: number) =>
  linear(path, from, to, { initial: xavierUniform(), biasInitial: normalInitial(1e-6) });

function encoderLayer(path: string, width: number): Layer {
  return sequential(
    residual(sequential(layerNorm(`${path}.ln_1`, width, EPSILON), selfAttention(`${path}.self_attention`, width))),
    residual(
      sequential(
        layerNorm(`${path}.ln_2`, width, EPSILON),
        mlp(`${path}.mlp.0`, width, 4 * width),
        gelu,
        mlp(`${path}.mlp.3`, 4 * width, width),
      ),
    ),
  );
}

const classToken = operation((x) => reshape(sliceAxis(x, 1, 0, 1), [x.shape[0]!, x.shape[2]!]));

/**
 * ViT-B/16 with torchvision's names and first weights; stages embedding, encoder.0 … encoder.11. Embeddings of places belong to one image size: weights
 * fit images of the size that they were trained on.
 */
export const vitB16 = defineModel({
  kind: "vit_b_16",
  summary: "vision transformer of 12 layers on patches of 16×16; 86.6 M parameters at 224×224",
  paper: "Dosovitskiy et al., An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale, ICLR 2021",
  config: z.strictObject({
    width: z.number().int().min(HEADS).max(1536).default(768).describe("length of a token, in twelve heads"),
  }),
  build({ width }, { input, classes }) {
    requireMultiple("vit_b_16", input, PATCH);
    if (width % HEADS !== 0) throw new UserError(`vit_b_16: width ${width} is no multiple of its ${HEADS} heads`);
    const patches = (input[1] / PATCH) * (input[2] / PATCH);
    const layers = Array.from({ length: DEPTH }, (_, i) => ({
      name: `encoder.${i}`,
      layer: encoderLayer(`encoder.layers.encoder_layer_${i}`, width),
    }));
    const last = layers.pop()!;
    const end = sequential(last.layer, layerNorm("encoder.ln", width, EPSILON), classToken);
    return {
      kind: "vit_b_16",
      stages: [
        { name: "embedding", layer: embedding(input[0], width, patches) },
        ...layers,
        { name: last.name, layer: end },
      ],
      head: linear("heads.head", width, classes, { initial: constantInitial(0), biasInitial: constantInitial(0) }),
      // torchvision's own files have the names of an older version.
      respell: (name) => name.replace(".mlp.linear_1.", ".mlp.0.").replace(".mlp.linear_2.", ".mlp.3."),
      features: width,
      classes,
      input,
    };
  },
});
