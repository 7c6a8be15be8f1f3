import { z } from "zod";
import { convNorm, invertedResidual, scaledChannels } from "./inverted-residual.ts";
import { batchNorm, conv, globalPool, linear, relu6, sequential } from "./layers.ts";
import { defineModel, type Stage } from "./model.ts";

/** Expansion, channels, blocks and stride of each group (Sandler et al. 2018, table 2). */
const GROUPS = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;
const STEM = 32;
const LAST = 1280;

/** MobileNetV2 with torchvision's names; stages stem, block1.0, block2.0 … block7.0, last. The head has no dropout. */
export const mobilenetV2 = defineModel({
  kind: "mobilenet_v2",
  summary: "17 inverted residuals in seven groups; 3.5 M parameters",
  paper: "Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks, CVPR 2018",
  config: z.strictObject({
    width: z.number().gt(0).max(4).default(1).describe("factor on every number of channels, rounded to multiples of 8"),
  }),
  build({ width }, { input, classes }) {
    let from = scaledChannels(STEM, width);
    const stages: Stage[] = [
      { name: "stem", layer: convNorm("features.0", input[0], from, 3, { stride: 2, activation: relu6 }) },
    ];
    for (const [group, [expansion, channels, count, stride]] of GROUPS.entries()) {
      const to = scaledChannels(channels, width);
      for (let i = 0; i < count; i++) {
        const path = `features.${stages.length}.conv`;
        const shape = { from, to, expansion, kernel: 3, stride: i === 0 ? stride : 1 };
        const layer = invertedResidual(path, shape, relu6, (place, inner, out) =>
          sequential(conv(`${path}.${place}`, inner, out, 1, { bias: false }), batchNorm(`${path}.${place + 1}`, out)),
        );
        stages.push({ name: `block${group + 1}.${i}`, layer });
        from = to;
      }
    }
    const features = scaledChannels(LAST, Math.max(1, width));
    const last = convNorm(`features.${stages.length}`, from, features, 1, { activation: relu6 });
    stages.push({ name: "last", layer: sequential(last, globalPool) });
    return { kind: "mobilenet_v2", stages, head: linear("classifier.1", features, classes), features, classes, input };
  },
});
