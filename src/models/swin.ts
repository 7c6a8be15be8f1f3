import { z } from "zod";
import { constant, type Value } from "../engine/graph.ts";
import { softmax } from "../engine/ops/activation.ts";
import { add, mul } from "../engine/ops/elementwise.ts";
import { matmul } from "../engine/ops/linear.ts";
import { concat, pad, roll, slice, sliceAxis, transpose } from "../engine/ops/movement.ts";
import { mean } from "../engine/ops/reduce.ts";
import { tensor } from "../engine/tensor.ts";
import { requireMultiple } from "./image-side.ts";
import { constantInitial, normalInitial, uniformFanIn } from "./initial.ts";
import type { Layer, WeightSpec } from "./layer.ts";
import { conv, gelu, layerNorm, learned, linear, operation, residual, sequential } from "./layers.ts";
import { defineModel, type Stage, startingFrom } from "./model.ts";
import { departition, headsOf, joinHeads, partition, positionBias } from "./window.ts";

const DEPTHS = [2, 2, 6, 2] as const;
/** Heads of the first stage; each later stage doubles them with its width. */
const HEADS = 3;
const WINDOW = 7;
const PATCH = 4;
/** What torchvision adds to the scores of places that a shift brought together. */
const APART = -100;

/** Attention within windows, which every second layer shifts by half of one; x [N, H, W, C]. */
function windowAttention(path: string, width: number, heads: number, shifted: boolean): Layer {
  const [qkv, proj] = [linear(`${path}.qkv`, width, 3 * width), linear(`${path}.proj`, width, width)];
  const table = `${path}.relative_position_bias_table`;
  return {
    weights: [learned(table, [(2 * WINDOW - 1) ** 2, heads], normalInitial(0.02)), ...qkv.weights, ...proj.weights],
    apply(x, c) {
      const [n, h, w] = x.shape as [number, number, number];
      const [rows, columns] = [h, w].map((side) => Math.ceil(side / WINDOW) * WINDOW) as [number, number];
      // A window that covers the map has nothing to shift to.
      const shift = [rows, columns].map((side) => (shifted && WINDOW < side ? Math.floor(WINDOW / 2) : 0));
      const padded = pad(x, [0, 0, 0, 0], [0, rows - h, columns - w, 0]);
      const moved = roll(padded, [0, -shift[0]!, -shift[1]!, 0]);
      const mixed = qkv.apply(partition(moved, WINDOW), c);
      const [q, k, v] = [0, 1, 2].map((i) => headsOf(sliceAxis(mixed, 3, i * width, (i + 1) * width), heads)) as [
        Value,
        Value,
        Value,
      ];
      let scores = matmul(mul(q, (width / heads) ** -0.5), transpose(k));
      scores = add(scores, positionBias(c.weight(table), WINDOW));
      if (shift.some((s) => s > 0)) scores = add(scores, shiftMask(rows, columns, shift as [number, number]));
      const joined = proj.apply(joinHeads(matmul(softmax(scores), v)), c);
      const back = roll(departition(joined, WINDOW, rows, columns), [0, shift[0]!, shift[1]!, 0]);
      return slice(back, [0, 0, 0, 0], [n, h, w, width]);
    },
  };
}

/** [windows, 1, T, T]: keeps apart what lies in one window only because the map was rolled. */
function shiftMask(rows: number, columns: number, [down, right]: readonly [number, number]): Value {
  const region = (at: number, side: number, shift: number) => (at < side - WINDOW ? 0 : at < side - shift ? 1 : 2);
  const places = WINDOW * WINDOW;
  const across = columns / WINDOW;
  const windows = (rows / WINDOW) * across;
  const mask = new Float32Array(windows * places * places);
  for (let window = 0; window < windows; window++) {
    const regions = Array.from({ length: places }, (_, place) => {
      const y = Math.floor(window / across) * WINDOW + Math.floor(place / WINDOW);
      const x = (window % across) * WINDOW + (place % WINDOW);
      return 3 * region(y, rows, down) + region(x, columns, right);
    });
    for (let i = 0; i < places; i++) {
      for (let j = 0; j < places; j++) {
        if (regions[i] !== regions[j]) mask[(window * places + i) * places + j] = APART;
      }
    }
  }
  return constant(tensor(mask, [windows, 1, places, places]), "shift.mask");
}

function block(path: string, width: number, heads: number, shifted: boolean): Layer {
  return sequential(
    residual(sequential(layerNorm(`${path}.norm1`, width), windowAttention(`${path}.attn`, width, heads, shifted))),
    residual(
      sequential(
        layerNorm(`${path}.norm2`, width),
        linear(`${path}.mlp.0`, width, 4 * width),
        gelu,
        linear(`${path}.mlp.3`, 4 * width, width),
      ),
    ),
  );
}

/** Four neighbours become one token of twice the width. */
function merging(path: string, width: number): Layer {
  const [norm, reduction] = [
    layerNorm(`${path}.norm`, 4 * width),
    linear(`${path}.reduction`, 4 * width, 2 * width, { bias: false }),
  ];
  return {
    weights: [...reduction.weights, ...norm.weights],
    apply(x, c) {
      const [n, h, w, width] = x.shape as [number, number, number, number];
      const even = pad(x, [0, 0, 0, 0], [0, h % 2, w % 2, 0]);
      const from = ([row, column]: readonly [number, number]) =>
        slice(even, [0, row, column, 0], [n, h + (h % 2), w + (w % 2), width], [1, 2, 2, 1]);
      const places = [
        [0, 0],
        [1, 0],
        [0, 1],
        [1, 1],
      ] as const;
      return reduction.apply(norm.apply(concat(places.map(from), 3), c), c);
    },
  };
}

const channelsLast = operation((x) => transpose(x, [0, 2, 3, 1]));
const meanOverMap = operation((x) => mean(x, [1, 2]));

const EMBEDDING = "features.0.0";

/** torchvision's first weights: PyTorch's own for the patches' convolution, else linear layers and tables normal, biases zero. */
const first = ({ name, shape }: WeightSpec) => {
  if (name.startsWith(`${EMBEDDING}.`)) return undefined;
  return shape.length > 1 ? normalInitial(0.02) : name.endsWith(".bias") ? constantInitial(0) : undefined;
};

/** Swin-T with torchvision's names; stages patches, layer1.0, layer1.1, layer2.0 … layer4.1 (each layer2 … layer4 begins with its merging). */
export const swinT = defineModel({
  kind: "swin_t",
  summary: "transformer in shifted windows, four stages of 2, 2, 6 and 2 layers; 28.3 M parameters at width 96",
  paper: "Liu et al., Swin Transformer: Hierarchical Vision Transformer using Shifted Windows, ICCV 2021",
  config: z.strictObject({
    width: z
      .number()
      .int()
      .min(HEADS)
      .max(192)
      .multipleOf(HEADS)
      .default(96)
      .describe("length of the first stage's tokens, in three heads; each later stage doubles both"),
  }),
  build({ width }, { input, classes }) {
    requireMultiple("swin_t", input, PATCH);
    const patches = sequential(
      conv(EMBEDDING, input[0], width, PATCH, { stride: PATCH, initial: uniformFanIn }),
      channelsLast,
      layerNorm("features.0.2", width),
    );
    const stages: Stage[] = [{ name: "patches", layer: patches }];
    for (const [group, depth] of DEPTHS.entries()) {
      const own = width * 2 ** group;
      for (let i = 0; i < depth; i++) {
        const layer = block(`features.${2 * group + 1}.${i}`, own, HEADS * 2 ** group, i % 2 === 1);
        const begun = group > 0 && i === 0 ? sequential(merging(`features.${2 * group}`, own / 2), layer) : layer;
        stages.push({ name: `layer${group + 1}.${i}`, layer: begun });
      }
    }
    const features = width * 2 ** (DEPTHS.length - 1);
    const last = stages.pop()!;
    stages.push({ name: last.name, layer: sequential(last.layer, layerNorm("norm", features), meanOverMap) });
    const model = { kind: "swin_t", stages, head: linear("head", features, classes), features, classes, input };
    return startingFrom(model, first);
  },
});
