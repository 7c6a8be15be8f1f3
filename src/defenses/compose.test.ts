import { describe, expect, test } from "vitest";
import { tinyModel } from "../../test/support/tiny-world.ts";
import { UserError } from "../engine/errors.ts";
import { composeDefenses } from "./compose.ts";
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
    [[["label-smoothing"], ["label-smoothing", { alpha: 0.1 }]], /label-smoothing cannot be combined with itself/],
  ] as const)("%j are refused where they change the same thing", (parts, message) => {
    expect(() => compose(...parts)).toThrow(UserError);
    expect(() => compose(...parts)).toThrow(message);
  });
});
