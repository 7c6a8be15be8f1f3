import { expect, test } from "vitest";
import { attacks } from "../../attacks/index.ts";
import { StudySchema } from "../study-schema.ts";
import { parseYamlConfig } from "../yaml-config.ts";
import { plainName, wishOf } from "./audit.ts";
import { studyText } from "./folder-study.ts";
import {
  attackSettings,
  beyondAccess,
  candidateAttacks,
  judgeFor,
  notPicked,
  priorSettings,
  trainingSettings,
  withoutPublicWeights,
} from "./settings.ts";

test("an attacker can do what its access allows, and no more", () => {
  const kinds = attacks.map(({ kind }) => kind as string);
  for (const access of ["white-box", "scores", "labels"] as const) {
    const possible = candidateAttacks(access);
    expect(beyondAccess(possible, access)).toEqual([]);
    // Nothing is left out but what would say nothing of a deep model.
    const covered = new Set([...possible, ...beyondAccess(kinds, access), "mi-face"]);
    expect(kinds.filter((kind) => !covered.has(kind))).toEqual([]);
  }
  expect(candidateAttacks("white-box").slice(0, 3)).toEqual(["gmi", "kedmi", "brep-mi"]);
  expect(candidateAttacks("labels")).toEqual(["brep-mi", "lokt"]);
});

test("what an audit does not pick by itself is named with its reason, where the attacker could run it", () => {
  expect(notPicked("white-box")).toEqual([{ attack: "mi-face", reason: expect.stringContaining("--attacks mi-face") }]);
  expect(notPicked("scores")).toEqual([]);
});

test("an attack that there is none of is refused by the option's name", () => {
  const misspelt = { access: "white-box", attacks: ["gmii"] } as const;
  expect(() => wishOf(misspelt)).toThrow(/^--attacks: unknown attack "gmii"; did you mean "gmi"\?$/);
  // It can be asked for, though an audit does not pick it.
  expect(() => wishOf({ ...misspelt, attacks: ["mi-fase"] })).toThrow(/did you mean "mi-face"\?$/);
  expect(() => wishOf({ ...misspelt, attacks: ["gmi", "gmi"] })).toThrow(/^--attacks: gmi is named twice/);
});

test.each([
  ["a/Face Net.v2.onnx", "Face-Net-v2"],
  ["runs/defended/model.onnx", "defended"],
  ["artifacts/targets/resnet10-none-seed1/model.onnx", "resnet10-none-seed1"],
  ["defended/Model.ONNX", "defended"],
  ["/model.onnx", "model"],
])("two classifiers are called differently: %s", (file, name) => {
  expect(plainName(file)).toBe(name);
});

test("what a trained model started from is not known, so that nothing which reads it is tried", () => {
  const left = withoutPublicWeights(candidateAttacks("white-box"));
  expect(left.map(({ attack }) => attack).toSorted()).toEqual(["c2f", "knows-prefix"]);
  for (const { reason } of left) expect(reason).toContain("pretraining.weights");
  expect(withoutPublicWeights(candidateAttacks("labels"))).toEqual([]);
  const options = { access: "white-box" } as const;
  expect(wishOf(options, left).attacks).not.toContain("c2f");
  expect(wishOf(options).attacks).toContain("c2f");
});

test("every attack and prior has settings that a study takes", () => {
  const study = {
    name: "a",
    data: { kind: "folder", private: "a", public: "b" },
    model: "resnet18",
    training: trainingSettings(300, 64, 0.01),
    evaluation: { model: judgeFor("resnet18") },
    priors: priorSettings,
    defenses: ["none"],
    attacks: candidateAttacks("white-box").map(attackSettings),
  };
  expect(parseYamlConfig(StudySchema, studyText(study, ""), "a.yaml").attacks[0]).toMatchObject({ iterations: 40 });
});

test("a judge has another architecture than the model, where that is known", () => {
  expect(judgeFor("vgg16_bn").kind).toBe("resnet18");
  expect(judgeFor("resnet18").kind).toBe("vgg16_bn");
  expect(judgeFor(undefined).kind).toBe("vgg16_bn");
});

test("few images are seen more often", () => {
  expect(trainingSettings(100, 64, 0.05)).toMatchObject({ epochs: 60, augment: { crop: 4 } });
  expect(trainingSettings(3200, 32, 0.05)).toMatchObject({ epochs: 15, augment: { crop: 2 } });
  expect(trainingSettings(1e6, 64, 0.05)).toMatchObject({ epochs: 8 });
});
