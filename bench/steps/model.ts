import { mobilenetV2 } from "../../src/models/mobilenet-v2.ts";
import type { Model } from "../../src/models/model.ts";
import { resnet10, resnet18, resnet50 } from "../../src/models/resnet.ts";
import { vgg16Bn } from "../../src/models/vgg.ts";
import { vitB16 } from "../../src/models/vit.ts";
import type { Classifier } from "../case.ts";

/** The classifier that a case names. */
export function buildClassifier({ model, width, stem = "small", side, classes }: Classifier): Model {
  const shape = { input: [3, side, side], classes } as const;
  if (model === "vgg16_bn") return vgg16Bn.build({ width }, shape);
  if (model === "mobilenet_v2") return mobilenetV2.build({ width }, shape);
  if (model === "vit_b_16") return vitB16.build({ width }, shape);
  return { resnet10, resnet18, resnet50 }[model].build({ width, stem }, shape);
}
