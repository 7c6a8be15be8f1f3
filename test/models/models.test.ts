import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { grad } from "../../src/engine/autodiff.ts";
import { UserError } from "../../src/engine/errors.ts";
import { input } from "../../src/engine/graph.ts";
import { crossEntropy } from "../../src/engine/ops/loss.ts";
import { oneHot } from "../../src/engine/ops/movement.ts";
import { compile } from "../../src/engine/runtime.ts";
import { createStore } from "../../src/engine/store.ts";
import { countWeights, fixed, initialState, trainable } from "../../src/models/bind.ts";
import { models } from "../../src/models/index.ts";
import { featureLayer, logitsLayer, splitAt, weightsOf } from "../../src/models/model.ts";
import { resnet18 } from "../../src/models/resnet.ts";
import { vgg16Bn } from "../../src/models/vgg.ts";
import { expectAllClose } from "../support/all-close.ts";
import { formulaImages, formulaWeights } from "../support/formula-weights.ts";
import { smallModels } from "../support/small-models.ts";

interface Golden {
  readonly kind: "resnet18" | "vgg16_bn";
  readonly config: Record<string, never>;
  readonly side: number;
  readonly classes: number;
  readonly names: readonly string[];
  readonly features: { readonly shape: readonly number[]; readonly data: readonly number[] };
  readonly logits: { readonly shape: readonly number[]; readonly data: readonly number[] };
}

const golden = JSON.parse(await readFile(new URL("../golden/models.json", import.meta.url), "utf8")) as {
  models: readonly Golden[];
};

/** Every architecture at a small size. */
const small = smallModels.map((sized) => {
  const { family, config, side } = sized;
  return { ...sized, model: family.build(family.config.parse(config), { input: [3, side, side], classes: 5 }) };
});

describe("sizes are torchvision's", () => {
  test("resnet18 with 1000 classes", () => {
    const model = resnet18.build({ width: 64, stem: "imagenet" }, { input: [3, 224, 224], classes: 1000 });
    expect(countWeights(weightsOf(model))).toBe(11_689_512);
    expect(model.features).toBe(512);
  });

  test("the features of vgg16_bn", () => {
    const model = vgg16Bn.build({ width: 64 }, { input: [3, 64, 64], classes: 1000 });
    expect(countWeights(featureLayer(model).weights)).toBe(14_723_136);
    expect(model.features).toBe(2048);
    expect(featureLayer(model).weights.at(-1)!.name).toBe("features.41.running_var");
  });
});

describe("forward values agree with PyTorch", () => {
  const named = golden.models.map((g) => [g.kind, JSON.stringify(g.config), g] as const);

  test.each(named)("%s %s", async (kind, _config, { config, side, classes, names, features, logits }) => {
    const family = models.find((m) => m.kind === kind)!;
    const model = family.build(family.config.parse(config) as never, { input: [3, side, side], classes });
    const specs = weightsOf(model);
    expect(specs.map((s) => s.name).sort()).toEqual(names);
    const weights = formulaWeights(specs);
    const images = formulaImages([2, 3, side, side]);
    const x = input("x", images.shape);
    for (const [how, binding] of Object.entries({ fixed: fixed(weights), held: trainable({ training: false }) })) {
      const h = binding.apply(featureLayer(model), x);
      const outputs = { features: h, logits: binding.apply(model.head, h) };
      const program = await compile({ outputs, store: createStore(weights) });
      const got = await program.run({ x: images.data });
      expect(h.shape).toEqual(features.shape);
      expectAllClose(got.features!.data, features.data, { relative: 1e-4, absolute: 1e-3 }, `${how}: features`);
      expectAllClose(got.logits!.data, logits.data, { relative: 1e-4, absolute: 1e-3 }, `${how}: logits`);
      await program.release();
    }
  });
});

describe("stages", () => {
  test("bear the names by which a study freezes them", () => {
    const names = Object.fromEntries(small.map(({ model: m }) => [m.kind, m.stages.map((s) => s.name).join(" ")]));
    expect(names).toMatchObject({
      vgg16_bn:
        "block1.conv1 block1.conv2 block2.conv1 block2.conv2 block3.conv1 block3.conv2 block3.conv3 " +
        "block4.conv1 block4.conv2 block4.conv3 block5.conv1 block5.conv2 block5.conv3",
      resnet18: "stem layer1.0 layer1.1 layer2.0 layer2.1 layer3.0 layer3.1 layer4.0 layer4.1",
      resnet10: "stem layer1.0 layer2.0 layer3.0 layer4.0",
      vit_b_16:
        "embedding encoder.0 encoder.1 encoder.2 encoder.3 encoder.4 encoder.5 encoder.6 encoder.7 encoder.8 encoder.9 encoder.10 encoder.11",
      swin_t:
        "patches layer1.0 layer1.1 layer2.0 layer2.1 layer3.0 layer3.1 layer3.2 layer3.3 layer3.4 layer3.5 layer4.0 layer4.1",
      maxvit_t:
        "stem block1.0 block1.1 block2.0 block2.1 block3.0 block3.1 block3.2 block3.3 block3.4 block4.0 block4.1",
    });
  });

  test("a group's name stands for its last stage, and a name that is none is told with those that are", () => {
    const model = small.find(({ model: m }) => m.kind === "resnet18")!.model;
    const names = (boundary: string) => splitAt(model, boundary).frozen.weights.map((w) => w.name);
    expect(names("layer2")).toEqual(names("layer2.1"));
    expect(() => splitAt(model, "layer9")).toThrow(UserError);
    expect(() => splitAt(model, "layer9")).toThrow('resnet18 has no stage "layer9"; it has stem, layer1.0');
  });
});

test("vgg16_bn says which image sizes it takes", () => {
  for (const side of [48, 16]) {
    expect(() => vgg16Bn.build({ width: 4 }, { input: [3, side, side], classes: 5 })).toThrow(
      `images of ${side}×${side} cannot be halved five times, use squares of 32, 64, 96`,
    );
  }
});

describe.each(small)("$family.kind", ({ model, side, trained }) => {
  const all = weightsOf(model).map((s) => s.name);

  test("keeps each tensor under a name of its own", () => {
    expect(new Set(all).size).toBe(all.length);
  });

  test.each([null, ...model.stages.map((s) => s.name)])(
    "splits at %s into parts that share nothing and miss nothing",
    (name) => {
      const { frozen, rest, tail } = splitAt(model, name);
      const names = [frozen, rest].map((layer) => layer.weights.map((w) => w.name));
      expect(names.flat()).toEqual(all);
      expect(new Set(names.flat()).size).toBe(all.length);
      expect([...tail.weights, ...model.head.weights]).toEqual(rest.weights);
      expect(frozen.weights.length > 0).toBe(name !== null);
    },
  );

  test.runIf(trained)("gives what its parts give one after the other", async () => {
    const weights = formulaWeights(weightsOf(model));
    const x = input("x", [2, 3, side, side]);
    const whole = fixed(weights).apply(logitsLayer(model), x);
    const { frozen, rest } = splitAt(model, model.stages[2]!.name);
    const parts = trainable({ training: false }).apply(rest, fixed(weights).apply(frozen, x));
    const program = await compile({ outputs: { whole, parts }, store: createStore(weights) });
    const got = await program.run({ x: formulaImages(x.shape).data });
    expectAllClose(got.parts!.data, got.whole!.data, { relative: 1e-4, absolute: 1e-4 });
    await program.release();
  });

  test.runIf(trained)(
    "trains in every tensor: gradients are finite and not zero, running statistics move",
    async () => {
      const binding = trainable({ training: true });
      const x = input("x", [4, 3, side, side]);
      const logits = binding.apply(logitsLayer(model), x);
      const loss = crossEntropy(logits, oneHot(input("y", [4], "int32"), 5));
      const weights = binding.trained();
      const gradients = grad(loss, weights);
      const state = initialState(weightsOf(model), 3);
      const program = await compile({
        outputs: Object.fromEntries(weights.map((w, i) => [w.leaf!.name, gradients[i]!])),
        updates: binding.updates,
        store: createStore(state),
      });
      const got = await program.run({ x: formulaImages(x.shape).data, y: Int32Array.of(0, 1, 2, 3) });
      await program.release();
      const specs = weightsOf(model);
      expect(Object.keys(got)).toEqual(specs.filter((s) => s.kind === "weight").map((s) => s.name));
      expect(Object.keys(binding.updates)).toEqual(specs.filter((s) => s.kind === "buffer").map((s) => s.name));
      for (const [name, { data }] of Object.entries(got)) {
        expect([...data].every(Number.isFinite), `finite gradient for ${name}`).toBe(true);
        expect(
          [...data].some((g) => g !== 0),
          `no gradient for ${name}`,
        ).toBe(true);
      }
    },
  );

  test.runIf(trained)("starts from weights that depend on the seed and on each tensor's name alone", () => {
    const specs = weightsOf(model);
    const state = initialState(specs, 3);
    expect(initialState([...specs].reverse(), 3)).toEqual(state);
    const first = specs.find(({ shape }) => shape.length === 4)!.name;
    expect(initialState(specs, 4)[first]!.data).not.toEqual(state[first]!.data);
  });
});
