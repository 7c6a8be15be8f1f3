import { describe, expect, test } from "vitest";
import { tinyModel } from "../../test/support/tiny-world.ts";
import type { StateDict } from "../engine/store.ts";
import { tensor } from "../engine/tensor.ts";
import { initialState } from "../models/bind.ts";
import { type Model, weightsOf } from "../models/model.ts";
import { knownPrefix } from "./known-prefix.ts";

const model = tinyModel();
const published = initialState(weightsOf(model), 1);

/** The published weights with the least change, in one number, of the tensors whose names begin so. */
const changed = (...starts: string[]): StateDict =>
  Object.fromEntries(
    Object.entries(published).map(([name, { data, shape }]) => {
      const touched = starts.some((start) => name.startsWith(start));
      const next = data[0]! + Math.max(Math.abs(data[0]!), 1e-6) * 2 ** -22;
      return [name, touched ? tensor([next, ...data.slice(1)], shape) : tensor(data, shape)];
    }),
  );

describe("where private learning begins", () => {
  test.each([
    [["layer2", "layer3", "fc"], "layer1.0"],
    [["layer3"], "layer2.0"],
    [["layer1", "layer3"], "stem"],
    // A stage that did not move behind one that did tells nothing.
    [["conv1"], null],
  ] as const)("after a change of %j it is %s", (starts, boundary) => {
    expect(knownPrefix(model, changed(...starts), published)).toBe(boundary);
  });

  test("is after the last stage where only the head is new, which the public weights know nothing of", () => {
    const { "fc.weight": _weight, "fc.bias": _bias, ...headless } = published;
    expect(knownPrefix(model, published, headless)).toBe("layer3.0");
  });

  test("is not moved by running statistics, which may follow the images of a frozen norm", () => {
    const statistics = weightsOf(model).filter(({ kind }) => kind === "buffer");
    const moved = changed(...statistics.map(({ name }) => name), "layer3");
    expect(knownPrefix(model, moved, published)).toBe("layer2.0");
  });

  test("is not found behind stages that hold no weights", () => {
    const empty = { name: "scale", layer: { weights: [], apply: (x: never) => x } };
    const led: Model = { ...model, stages: [empty, ...model.stages] };
    expect(knownPrefix(led, changed("conv1"), published)).toBeNull();
    expect(knownPrefix(led, changed("layer2"), published)).toBe("layer1.0");
  });
});
