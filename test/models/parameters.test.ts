import { expect, test } from "vitest";
import { countWeights } from "../../src/models/bind.ts";
import { models } from "../../src/models/index.ts";
import { featureLayer, logitsLayer, type Model, type ModelFamily } from "../../src/models/model.ts";

const wholeOf = (model: Model) => countWeights(logitsLayer(model).weights);
const featuresOf = (model: Model) => countWeights(featureLayer(model).weights);

/**
 * Published numbers of parameters, of torchvision's documentation where it has the architecture (with 1000 classes); of VGG without
 * its classifier, whose place the field's own head takes; of Inception without its auxiliary classifier.
 */
const PUBLISHED = {
  vgg11_bn: [{}, 224, 132_868_840 - 123_642_856, featuresOf],
  vgg13_bn: [{}, 224, 133_053_736 - 123_642_856, featuresOf],
  vgg16_bn: [{}, 224, 138_365_992 - 123_642_856, featuresOf],
  vgg19_bn: [{}, 224, 143_678_248 - 123_642_856, featuresOf],
  resnet18: [{ stem: "imagenet" }, 224, 11_689_512, wholeOf],
  resnet34: [{ stem: "imagenet" }, 224, 21_797_672, wholeOf],
  resnet50: [{ stem: "imagenet" }, 224, 25_557_032, wholeOf],
  resnet101: [{ stem: "imagenet" }, 224, 44_549_160, wholeOf],
  resnet152: [{ stem: "imagenet" }, 224, 60_192_808, wholeOf],
  resnest50: [{}, 224, 27_483_240, wholeOf],
  densenet121: [{}, 224, 7_978_856, wholeOf],
  densenet161: [{}, 224, 28_681_000, wholeOf],
  densenet169: [{}, 224, 14_149_480, wholeOf],
  mobilenet_v2: [{}, 224, 3_504_872, wholeOf],
  efficientnet_b0: [{}, 224, 5_288_548, wholeOf],
  efficientnet_b1: [{}, 240, 7_794_184, wholeOf],
  efficientnet_b2: [{}, 288, 9_109_994, wholeOf],
  efficientnet_b3: [{}, 300, 12_233_232, wholeOf],
  inception_v3: [{}, 299, 23_834_568, wholeOf],
  vit_b_16: [{}, 224, 86_567_656, wholeOf],
  swin_t: [{}, 224, 28_288_354, wholeOf],
  maxvit_t: [{}, 224, 30_919_624, wholeOf],
  // The released TL-DMI models' counts, with 1000 people.
  ir50: [{}, 64, 35_437_224, wholeOf],
  ir152: [{}, 64, 62_599_848, wholeOf],
  // Without the classifier of VGGFace2's 8,631 people.
  inception_resnet_v1: [{}, 160, 27_910_327 - 8631 * 513, featuresOf],
} as const;

/** No paper has this one; it is for quick runs. */
const UNPUBLISHED = ["resnet10"];

test.each(Object.entries(PUBLISHED))(
  "%s has the published number of parameters",
  (kind, [config, side, wanted, count]) => {
    const family = (models as readonly ModelFamily[]).find((m) => m.kind === kind)!;
    const model = family.build(family.config.parse(config), { input: [3, side, side], classes: 1000 });
    expect(count(model)).toBe(wanted);
  },
);

test("FaceNet112 is ir50 on 112×112", () => {
  const family = (models as readonly ModelFamily[]).find((m) => m.kind === "ir50")!;
  const model = family.build(family.config.parse({}), { input: [3, 112, 112], classes: 1000 });
  expect(wholeOf(model)).toBe(35_437_224 + 512 * 512 * (7 * 7 - 4 * 4));
});

test("every architecture is in this table, but for imported ones", () => {
  expect([...Object.keys(PUBLISHED), ...UNPUBLISHED, "onnx"].sort()).toEqual(models.map(({ kind }) => kind).sort());
});
