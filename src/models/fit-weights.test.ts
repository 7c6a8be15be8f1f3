import { describe, expect, test } from "vitest";
import { UserError } from "../engine/errors.ts";
import type { StateDict } from "../engine/store.ts";
import type { StoredTensor } from "../engine/stored-tensor.ts";
import { filled } from "../engine/tensor.ts";
import { initialState } from "./bind.ts";
import { fitWeights } from "./fit-weights.ts";
import { maxvitT } from "./maxvit.ts";
import { type Model, weightsOf } from "./model.ts";
import { resnet10, resnet18 } from "./resnet.ts";
import { vgg11Bn } from "./vgg.ts";

const shape = { input: [3, 32, 32], classes: 5 } as const;
const model = resnet10.build({ width: 4, stem: "small" }, shape);
const state = initialState(weightsOf(model), 1);

const fileOf = (tensors: StateDict) => ({
  path: "w.pth",
  tensors: new Map(
    Object.entries(tensors).map(([name, t]): [string, StoredTensor] => [
      name,
      { shape: t.shape, type: "F32", read: () => t },
    ]),
  ),
});
const renamed = (tensors: StateDict, to: (name: string) => string): StateDict =>
  Object.fromEntries(Object.entries(tensors).map(([name, t]) => [to(name), t]));
const without = (tensors: StateDict, pattern: RegExp): StateDict =>
  Object.fromEntries(Object.entries(tensors).filter(([name]) => !pattern.test(name)));

describe("tensors find their places by name", () => {
  test("a file of the same model gives every tensor, head included", () => {
    const fit = fitWeights(model, fileOf(state));
    expect(fit).toMatchObject({ prefix: "", head: true, passedOver: [] });
    expect(fit.read()).toEqual(state);
  });

  test.each(["module.", "backbone.", "module.model.encoder."])("behind %s", (prefix) => {
    const fit = fitWeights(model, fileOf(renamed(state, (name) => prefix + name)));
    expect(fit.prefix).toBe(prefix);
    expect(fit.read()).toEqual(state);
  });

  test("among tensors of other networks in the same file", () => {
    const both = { ...renamed(state, (name) => `target.${name}`), ...renamed(state, (name) => `judge.extra.${name}`) };
    expect(fitWeights(model, fileOf(both)).prefix).toBe("target.");
  });

  test("in other spellings that the architecture knows", () => {
    const respell = (name: string) => name.replace(/^feature\./, "layer1.");
    const fit = fitWeights({ ...model, respell }, fileOf(renamed(state, (n) => n.replace(/^layer1\./, "feature."))));
    expect(fit.read()).toEqual(state);
  });

  test("a head for other classes, auxiliary classifiers and counters are passed over", () => {
    const other = {
      ...state,
      "fc.weight": filled([1000, 32], 0),
      "fc.bias": filled([1000], 0),
      "aux.weight": filled([2], 0),
      "bn1.num_batches_tracked": filled([], 7),
    };
    const fit = fitWeights(model, fileOf(other));
    expect(fit).toMatchObject({ head: false, passedOver: ["aux.weight", "fc.weight", "fc.bias"] });
    expect(Object.keys(fit.read())).toEqual(Object.keys(without(state, /^fc/)));
  });
});

test.each([
  maxvitT.build({ width: 4, partition: 2 }, { input: [3, 64, 64], classes: 5 }),
  vgg11Bn.build({ width: 4 }, shape),
])("of a head for other classes the neck is taken, which is the same for all", (necked) => {
  const own = initialState(weightsOf(necked), 1);
  const neck = necked.neck!.weights.map(({ name }) => name);
  const last = necked.head.weights.map(({ name }) => name).filter((name) => !neck.includes(name));
  const other = { ...own, ...Object.fromEntries(last.map((name) => [name, filled([9], 0)])) };
  const fit = fitWeights(necked, fileOf(other));
  expect(fit).toMatchObject({ head: false, passedOver: last });
  expect(neck.filter((name) => fit.read()[name] !== own[name])).toEqual([]);
  const bare = fitWeights(
    necked,
    fileOf(Object.fromEntries(Object.entries(other).filter(([name]) => name !== neck[0]))),
  );
  expect(neck.filter((name) => name in bare.read())).toEqual([]);
});

describe("a file that does not fit is told with what differs", () => {
  const message = (other: Model, tensors: StateDict): string => {
    try {
      fitWeights(other, fileOf(tensors));
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
      return (error as UserError).message;
    }
    return "";
  };

  test("missing tensors", () => {
    expect(message(model, without(state, /^layer2\.0\.conv1/))).toBe(
      "w.pth: its 61 tensors do not fit resnet10: 1 missing (layer2.0.conv1.weight [8, 4, 3, 3]); " +
        "is it a file of this architecture, at this width?",
    );
  });

  test("another width", () => {
    const wide = resnet10.build({ width: 8, stem: "small" }, shape);
    expect(message(wide, state)).toMatch(
      /^w\.pth: its 62 tensors do not fit resnet10: \d+ of another shape \(conv1\.weight is \[4, 3, 3, 3\] in the file and \[8, 3, 3, 3\] here, /,
    );
  });

  test("a deeper network of the same family, whose first blocks would all fit", () => {
    const deep = initialState(weightsOf(resnet18.build({ width: 4, stem: "small" }, shape)), 1);
    expect(message(model, deep)).toMatch(/: 40 unknown \(layer1\.1\.conv1\.weight, .* and 36 more\)/);
  });

  test("a file of something else", () => {
    expect(message(model, { a: filled([1], 0) })).toMatch(
      /: its 1 tensors do not fit resnet10: 60 missing \(conv1\.weight/,
    );
  });
});
