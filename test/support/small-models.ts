import { models } from "../../src/models/index.ts";
import type { ModelFamily } from "../../src/models/model.ts";

/** An architecture at a size that a test can afford. */
export interface SmallModel {
  readonly family: ModelFamily;
  readonly config: object;
  /** Side of the smallest images for it, and of larger ones that it takes as well. */
  readonly side: number;
  readonly larger: number;
  /** Whether it stands for others that are made by the same function with other numbers of blocks: only it is differentiated in tests. */
  readonly representative: boolean;
  /** Whether it is also trained: deep ones take too long, and consist of the same layers. */
  readonly trained: boolean;
}

interface Size {
  readonly config?: object;
  readonly side?: number;
  readonly larger?: number;
  readonly standsBehind?: string;
}

const inception = { config: { width: 1 / 16 }, side: 75, larger: 99 };

/** What differs from width 4 on 32×32. */
const SIZES: Readonly<Record<string, Size>> = {
  vgg11_bn: { standsBehind: "vgg16_bn" },
  vgg13_bn: { standsBehind: "vgg16_bn" },
  vgg19_bn: { standsBehind: "vgg16_bn" },
  resnet34: { standsBehind: "resnet18" },
  resnet101: { standsBehind: "resnet50" },
  resnet152: { standsBehind: "resnet50" },
  densenet121: { config: { growth: 4 }, side: 64, larger: 96 },
  densenet161: { config: { growth: 2 }, standsBehind: "densenet121" },
  densenet169: { config: { growth: 2 }, standsBehind: "densenet121" },
  mobilenet_v2: { config: { width: 0.1 } },
  efficientnet_b0: { config: { width: 0.1 } },
  efficientnet_b1: { config: { width: 0.1 }, standsBehind: "efficientnet_b0" },
  efficientnet_b2: { config: { width: 0.1 }, standsBehind: "efficientnet_b0" },
  efficientnet_b3: { config: { width: 0.1 }, standsBehind: "efficientnet_b0" },
  inception_v3: inception,
  inception_resnet_v1: { ...inception, config: { width: 1 / 4 } },
  vit_b_16: { config: { width: 24 } },
  swin_t: { config: { width: 6 } },
  maxvit_t: { config: { width: 4, partition: 2 }, side: 64, larger: 128 },
  ir152: { standsBehind: "ir50" },
};

const TRAINED = ["vgg16_bn", "resnet18", "resnet10"];

/** Every architecture, in the list's order; imported ones have the size of their file. */
export const smallModels: readonly SmallModel[] = (models as readonly ModelFamily[])
  .filter(({ kind }) => kind !== "onnx")
  .map((family) => {
    const { config = { width: 4 }, side = 32, larger = 64, standsBehind } = SIZES[family.kind] ?? {};
    return {
      family,
      config,
      side,
      larger,
      representative: standsBehind === undefined,
      trained: TRAINED.includes(family.kind),
    };
  });
