import { z } from "zod";
import { requireMultiple } from "./image-side.ts";
import type { Layer } from "./layer.ts";
import { batchNorm, conv, flatten, linear, maxPool, prelu, residual, sequential } from "./layers.ts";
import { defineModel, type Model, type ModelShape, type Stage } from "./model.ts";

const unbiased = { bias: false } as const;

/** The improved residual unit of face networks (Deng et al. 2019, section 3.1): norm, convolution, PReLU, convolution, norm; nothing after the sum. */
function unit(path: string, from: number, to: number, stride: number): Layer {
  const main = sequential(
    batchNorm(`${path}.res_layer.0`, from),
    conv(`${path}.res_layer.1`, from, to, 3, { ...unbiased, padding: 1 }),
    prelu(`${path}.res_layer.2`, to),
    conv(`${path}.res_layer.3`, to, to, 3, { ...unbiased, stride, padding: 1 }),
    batchNorm(`${path}.res_layer.4`, to),
  );
  if (from !== to) {
    const shortcut = sequential(
      conv(`${path}.shortcut_layer.0`, from, to, 1, { ...unbiased, stride }),
      batchNorm(`${path}.shortcut_layer.1`, to),
    );
    return residual(main, shortcut);
  }
  return residual(main, stride === 1 ? undefined : maxPool({ kernel: 1, stride }));
}

function buildIr(kind: string, units: readonly number[], width: number, { input, classes }: ModelShape): Model {
  requireMultiple(kind, input, 16);
  const stem = sequential(
    conv("input_layer.0", input[0], width, 3, { ...unbiased, padding: 1 }),
    batchNorm("input_layer.1", width),
    prelu("input_layer.2", width),
  );
  const stages: Stage[] = [{ name: "stem", layer: stem }];
  let from = width;
  for (const [group, count] of units.entries()) {
    const to = width * 2 ** group;
    for (let i = 0; i < count; i++) {
      const layer = unit(`body.${stages.length - 1}`, from, to, i === 0 ? 2 : 1);
      stages.push({ name: `layer${group + 1}.${i}`, layer });
      from = to;
    }
  }
  const pixels = (input[1] / 16) * (input[2] / 16);
  const output = sequential(
    batchNorm("output_layer.0", from),
    flatten,
    linear("output_layer.3", from * pixels, from),
    batchNorm("output_layer.4", from),
  );
  stages.push({ name: "output", layer: output });
  return {
    kind,
    stages,
    head: linear("fc_layer", from, classes),
    // The field's classifiers keep stem and body under `feature`, and may have the head in a list of one.
    respell: (name) => name.replace(/^feature\./, "").replace(/^fc_layer\.0\./, "fc_layer."),
    features: from,
    classes,
    input,
  };
}

const config = z.strictObject({
  width: z
    .number()
    .int()
    .min(4)
    .max(256)
    .default(64)
    .describe("channels of the first stage; each later stage doubles them"),
});

/** The face.evoLVe backbones that the field's targets and evaluation models use; stages stem, layer1.0 … layer4.2, output. Without dropout. */
const defineIr = <const Kind extends string>(kind: Kind, units: readonly number[], summary: string) =>
  defineModel({
    kind,
    summary,
    paper: "Deng et al., ArcFace: Additive Angular Margin Loss for Deep Face Recognition, CVPR 2019",
    config,
    build: ({ width }, shape) => buildIr(kind, units, width, shape),
  });

export const ir50 = defineIr(
  "ir50",
  [3, 4, 14, 3],
  "face network of 24 residual units: FaceNet64 on 64×64, FaceNet112 on 112×112; 35.4 M parameters with 1000 people at 64×64",
);
export const ir152 = defineIr(
  "ir152",
  [3, 8, 36, 3],
  "face network of 50 residual units; 62.6 M parameters with 1000 people at 64×64",
);
