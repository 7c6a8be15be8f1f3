import { describe, expect, test } from "vitest";
import { TINY_TRAINING, tinyModel } from "../../test/support/tiny-world.ts";
import { UserError } from "../engine/errors.ts";
import { checkSettings, composeDefenses } from "./compose.ts";
import type { Defense } from "./defense.ts";
import { defenses } from "./index.ts";

const model = tinyModel();
const compose = (...parts: readonly (readonly [kind: string, config?: object])[]) =>
  composeDefenses(
    model,
    parts.map(([kind, config = {}]) => {
      const member = (defenses as readonly Defense[]).find((d) => d.kind === kind)!;
      return { member, config: member.config.parse(config) };
    }),
  );

describe("defenses of one target", () => {
  test("are named in their order, with the boundary beside the one that freezes", () => {
    const { name, label } = compose(["tl-dmi", { freeze: "layer2" }], ["label-smoothing"]);
    expect([name, label]).toEqual(["tl-dmi + label-smoothing", "tl-dmi layer2.0 + label-smoothing"]);
  });

  test("are not called undefended where `none` only says where weights start", () => {
    const { name, recipe } = compose(["none", { start: "scratch" }], ["label-smoothing"]);
    expect(name).toBe("label-smoothing");
    expect(recipe.start).toBe("scratch");
    expect(compose(["none"]).name).toBe("none");
  });

  test("have settings that tell recipes apart, and that are the recipe alone where it says everything", () => {
    expect(compose(["tl-dmi", { freeze: "layer2" }]).settings).toEqual({
      start: "pretrained",
      boundary: "layer2.0",
      probeEpochs: 0,
      frozenNorms: "eval",
    });
    const settings = (alpha: number) => JSON.stringify(compose(["label-smoothing", { alpha }]).settings);
    expect(settings(-0.05)).toContain('"changes":[{"kind":"label-smoothing","alpha":-0.05}]');
    expect(settings(-0.05)).not.toBe(settings(-0.1));
  });

  test("keep the architecture where none reshapes it, and count every reshaping among the settings", () => {
    expect(compose(["tl-dmi", { freeze: "layer1" }], ["label-smoothing"]).model).toBe(model);
    const { model: reshaped, changes } = compose(["rolss"], ["mid", { width: 4 }]);
    expect(changes).toEqual([{ kind: "rolss" }, { kind: "mid", beta: 0.003, width: 4 }]);
    expect(reshaped.head.weights.map((w) => w.name)).toContain("bottleneck.weight");
    expect(reshaped.stages.slice(0, -1)).toEqual(model.stages.slice(0, -1));
  });

  test("that promise privacy promise it to every image", () => {
    const { recipe } = compose(["dp-sgd", { delta: 0.01 }]);
    expect(() => checkSettings(recipe, TINY_TRAINING, 100)).toThrow(/one of 100 training images .* less than 0\.010/);
    expect(() => checkSettings(recipe, TINY_TRAINING, 99)).not.toThrow();
  });

  test("that need shortcuts say which networks have them", () => {
    const { shortcuts: _, ...plain } = model;
    const rolss = (defenses as readonly Defense[]).find((d) => d.kind === "rolss")!;
    expect(() => composeDefenses(plain, [{ member: rolss, config: {} }])).toThrow(/no shortcuts; .* such as resnet18/);
  });

  test("that train another shape first leave epochs for their own", () => {
    const { recipe } = compose(["tts"]);
    expect(() => checkSettings(recipe, TINY_TRAINING, 100)).toThrow(/5 of the epochs .* training\.epochs is 5/);
    expect(() => checkSettings(recipe, { ...TINY_TRAINING, epochs: 6 }, 100)).not.toThrow();
  });

  test("change nothing for each other: the order does not matter", () => {
    const [a, b] = [["tl-dmi", { freeze: "layer1" }] as const, ["label-smoothing"] as const];
    const { smoothing: _, ...one } = compose(a, b).recipe;
    const { smoothing: __, ...other } = compose(b, a).recipe;
    expect(one).toEqual(other);
  });

  test.each([
    [
      [["tl-dmi", { freeze: "layer1" }], ["none"]],
      /tl-dmi and none cannot be combined: both decide where weights start/,
    ],
    [[["mid"], ["low-rank", { rank: 2 }]], /mid and low-rank cannot be combined: both replace the head/],
    [[["round"], ["top-1"]], /round and top-1 cannot be combined: both decide what is done to answers/],
    [[["at-at"], ["trap-mid"]], /at-at and trap-mid cannot be combined: both decide how a step of training is taken/],
    [[["rolss"], ["ssf"]], /rolss and ssf cannot be combined: both replace the shortcuts/],
    [[["tl-dmi", { freeze: "layer3" }], ["rolss"]], /stage layer3\.0 is both reshaped and frozen/],
    [[["dp-sgd"], ["tl-dmi", { freeze: "auto" }]], /dp-sgd cannot account for freeze: auto.*name a stage/],
    [[["rolss", { group: "stem" }]], /stem has no shortcuts/],
    [[["rolss", { group: "layer9" }]], /no stage "layer9"/],
    [[["low-rank", { rank: 16 }]], /rank of 16 takes nothing away, tiny target has 16 features/],
    [[["label-smoothing"], ["label-smoothing", { alpha: 0.1 }]], /label-smoothing cannot be combined with itself/],
  ] as const)("%j are refused: they change the same thing, or what is not there", (parts, message) => {
    expect(() => compose(...parts)).toThrow(UserError);
    expect(() => compose(...parts)).toThrow(message);
  });
});
