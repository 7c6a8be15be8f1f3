import { describe, expect, test } from "vitest";
import { UserError } from "../engine/errors.ts";
import { countWeights } from "../models/bind.ts";
import { models } from "../models/index.ts";
import { type Model, type ModelFamily, splitAt, weightsOf } from "../models/model.ts";
import { boundaryOf, trainableParameters } from "./boundary.ts";
import { tlDmi } from "./tl-dmi.ts";

describe("a freeze boundary", () => {
  const family = (kind: string) => (models as readonly ModelFamily[]).find((m) => m.kind === kind)!;
  const build = (kind: string): Model =>
    family(kind).build(family(kind).config.parse({ width: 4 }), { input: [3, 32, 32], classes: 5 });
  const resnet = build("resnet18");
  const boundary = (freeze: unknown, of = resnet) => boundaryOf(tlDmi.config.parse({ freeze }).freeze, of);

  test("is a stage, or the last stage of a group", () => {
    expect(boundary("layer3.0")).toBe("layer3.0");
    expect(boundary("layer3")).toBe("layer3.1");
    expect(boundary("stem")).toBe("stem");
    expect(boundary("block4", build("vgg16_bn"))).toBe("block4.conv3");
  });

  test("of an unknown name is refused with the names there are", () => {
    expect(() => boundary("layer5")).toThrow(UserError);
    expect(() => boundary("layer5")).toThrow(/no stage "layer5".*stem, layer1\.0.*layer4\.1/);
    // A beginning of a name is no name.
    expect(() => boundary("layer")).toThrow(UserError);
  });

  test("for a parameter budget freezes as little as meets it", () => {
    const names = resnet.stages.map((s) => s.name);
    for (const budget of [40_000, 15_000, trainableParameters(resnet, "layer2.0")]) {
      const at = names.indexOf(boundary({ maxTrainable: budget }));
      expect(trainableParameters(resnet, names[at]!)).toBeLessThanOrEqual(budget);
      expect(trainableParameters(resnet, names[at - 1] ?? null)).toBeGreaterThan(budget);
    }
  });

  test("for a budget below the head's own size is refused with that size", () => {
    expect(trainableParameters(resnet, "layer4.1")).toBe(32 * 5 + 5);
    expect(boundary({ maxTrainable: 165 })).toBe("layer4.1");
    expect(() => boundary({ maxTrainable: 164 })).toThrow(/at most 164 .* the head alone has 165/);
  });

  test("for a share of the layers freezes as much as stays within it", () => {
    // Layers with weights: conv and norm of the stem, 4 a block, 2 a shortcut, the head: 2 + 32 + 6 + 1 = 41.
    expect(boundary({ fraction: 0.5 })).toBe("layer2.1"); // 2 + 8 + 10 = 20 of 41; with layer3.0 26
    expect(boundary({ fraction: 20 / 41 })).toBe("layer2.1");
    expect(boundary({ fraction: 19 / 41 })).toBe("layer2.0");
    expect(() => boundary({ fraction: 0.01 })).toThrow(/fraction of 0\.01 freezes nothing/);
  });

  test("splits the parameters at every stage without losing one", () => {
    for (const built of [resnet, build("vgg16_bn")]) {
      for (const name of [null, ...built.stages.map((s) => s.name)]) {
        const { frozen } = splitAt(built, name);
        expect(countWeights(frozen.weights) + trainableParameters(built, name)).toBe(countWeights(weightsOf(built)));
      }
    }
  });

  test.each([[""], [{ maxTrainable: 0 }], [{ maxTrainable: 1.5 }], [{ fraction: 0 }], [{ fraction: 1 }], [3], [{}]])(
    "cannot be %j",
    (freeze) => {
      expect(tlDmi.config.safeParse({ freeze }).success).toBe(false);
    },
  );
});
