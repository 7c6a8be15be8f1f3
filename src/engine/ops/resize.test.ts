import { expect, test } from "vitest";
import { expectAllClose } from "../../../test/support/all-close.ts";
import { evaluate } from "../../../test/support/evaluate.ts";
import { input } from "../graph.ts";
import { resize } from "./resize.ts";

test("antialiased: a triangle twice as wide as the shrinking, cut off at the border and brought to a sum of one", async () => {
  const x = Float32Array.from([0, 1, 2, 3].flatMap((v) => [v, v, v, v]));
  const got = await evaluate(resize(input("x", [1, 1, 4, 4]), 2, 4, "antialiased"), { x });
  // Weights 0.75, 0.75, 0.25 of rows 0 to 2, as PyTorch's antialias=True has them.
  const first = (0.75 * 0 + 0.75 * 1 + 0.25 * 2) / 1.75;
  expectAllClose(got, [...Array<number>(4).fill(first), ...Array<number>(4).fill(3 - first)], { relative: 1e-6 });
});

test("antialiased: the same as bilinear where a map grows, and flat maps stay flat", async () => {
  const x = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i));
  const of = (mode: "bilinear" | "antialiased") => evaluate(resize(input("x", [1, 1, 3, 4]), 5, 7, mode), { x });
  expect(await of("antialiased")).toEqual(await of("bilinear"));
  const flat = await evaluate(resize(input("x", [1, 1, 7, 7]), 3, 3, "antialiased"), {
    x: new Float32Array(49).fill(2),
  });
  expectAllClose(flat, Array<number>(9).fill(2), { relative: 1e-6 });
});
