import { z } from "zod";
import type { Value } from "../engine/graph.ts";
import { sigmoid as sigmoidOp } from "../engine/ops/activation.ts";
import { add, mul, sub } from "../engine/ops/elementwise.ts";
import { sliceAxis } from "../engine/ops/movement.ts";
import { requireMultiple } from "./image-side.ts";
import type { Layer } from "./layer.ts";
import {
  avgPool,
  batchNorm,
  conv,
  globalPool,
  linear,
  maxPool,
  relu,
  reshape,
  residual,
  sequential,
} from "./layers.ts";
import { defineModel, type Stage } from "./model.ts";

const unbiased = { bias: false } as const;
const EXPANSION = 4;
const BLOCKS = [3, 4, 6, 3] as const;
/** Splits of every 3×3 convolution, and the least width of the attention between them (Zhang et al. 2022, section 3). */
const RADIX = 2;
const LEAST_ATTENTION = 32;

/** Split attention: one grouped convolution gives two maps, and each channel is mixed of both by a softmax over the two. */
function splitAttention(path: string, channels: number): Layer {
  const inner = Math.max((channels * RADIX) / 4, LEAST_ATTENTION);
  const split = sequential(
    conv(`${path}.conv`, channels, channels * RADIX, 3, { ...unbiased, padding: 1, groups: RADIX }),
    batchNorm(`${path}.bn0`, channels * RADIX),
    relu,
  );
  const attention = sequential(
    globalPool,
    reshape([channels, 1, 1]),
    conv(`${path}.fc1`, channels, inner, 1),
    batchNorm(`${path}.bn1`, inner),
    relu,
    conv(`${path}.fc2`, inner, channels * RADIX, 1),
  );
  const halves = (x: Value) => [sliceAxis(x, 1, 0, channels), sliceAxis(x, 1, channels, 2 * channels)] as const;
  return {
    weights: [...split.weights, ...attention.weights],
    apply(x, c) {
      const [first, second] = halves(split.apply(x, c));
      const [z0, z1] = halves(attention.apply(add(first, second), c));
      // The softmax of two numbers is a sigmoid of their difference.
      const share = sigmoidOp(sub(z0, z1));
      return add(mul(first, share), mul(second, sub(1, share)));
    },
  };
}

function block(path: string, from: number, inner: number, stride: number): Layer {
  const to = inner * EXPANSION;
  const main = sequential(
    conv(`${path}.conv1`, from, inner, 1, unbiased),
    batchNorm(`${path}.bn1`, inner),
    relu,
    splitAttention(`${path}.conv2`, inner),
    ...(stride > 1 ? [avgPool({ kernel: 3, stride, padding: 1 })] : []),
    conv(`${path}.conv3`, inner, to, 1, unbiased),
    batchNorm(`${path}.bn3`, to),
  );
  if (stride === 1 && from === to) return sequential(residual(main), relu);
  const shortcut = sequential(
    ...(stride > 1 ? [avgPool({ kernel: stride })] : []),
    conv(`${path}.downsample.1`, from, to, 1, unbiased),
    batchNorm(`${path}.downsample.2`, to),
  );
  return sequential(residual(main, shortcut), relu);
}

/** ResNeSt-50 (radix 2, one group, deep stem, average pooling before strides) with the authors' names; stages stem, layer1.0 … layer4.2. */
export const resnest50 = defineModel({
  kind: "resnest50",
  summary: "ResNet-50 with split attention; 27.5 M parameters at width 64",
  paper: "Zhang et al., ResNeSt: Split-Attention Networks, CVPR Workshops 2022",
  config: z.strictObject({
    width: z
      .number()
      .int()
      .min(4)
      .max(256)
      .multipleOf(4)
      .default(64)
      .describe("inner channels of the first stage; each later stage doubles them"),
  }),
  build({ width }, { input, classes }) {
    requireMultiple("resnest50", input, 32);
    const narrow = width / 2;
    const stem = sequential(
      conv("conv1.0", input[0], narrow, 3, { ...unbiased, stride: 2, padding: 1 }),
      batchNorm("conv1.1", narrow),
      relu,
      conv("conv1.3", narrow, narrow, 3, { ...unbiased, padding: 1 }),
      batchNorm("conv1.4", narrow),
      relu,
      conv("conv1.6", narrow, width, 3, { ...unbiased, padding: 1 }),
      batchNorm("bn1", width),
      relu,
      maxPool({ kernel: 3, stride: 2, padding: 1 }),
    );
    const stages: Stage[] = [{ name: "stem", layer: stem }];
    let from = width;
    for (const [i, count] of BLOCKS.entries()) {
      for (let j = 0; j < count; j++) {
        const name = `layer${i + 1}.${j}`;
        const inner = width * 2 ** i;
        const layer = block(name, from, inner, j === 0 && i > 0 ? 2 : 1);
        from = inner * EXPANSION;
        const last = i === BLOCKS.length - 1 && j === count - 1;
        stages.push({ name, layer: last ? sequential(layer, globalPool) : layer });
      }
    }
    return { kind: "resnest50", stages, head: linear("fc", from, classes), features: from, classes, input };
  },
});
