import { expect, test } from "vitest";
import { constant, type Value } from "../engine/graph.ts";
import { matmul } from "../engine/ops/linear.ts";
import { flatten } from "../engine/ops/movement.ts";
import { compile } from "../engine/runtime.ts";
import { tensor } from "../engine/tensor.ts";
import { selectFinal } from "./final-selection.ts";
import { pixelSpace } from "./space.ts";

const SIDE = 8;
const PIXELS = SIDE * SIDE;
const isLeft = (pixel: number) => pixel % SIDE < SIDE / 2;

/** The logit of class 0 is twelve times how much brighter the left half is than the right one, and both their brightness. */
const weights = Float32Array.from({ length: PIXELS * 2 }, (_, i) => {
  if (i % 2 === 1) return 0;
  return (isLeft(i / 2) ? 13 : -11) / (PIXELS / 2);
});
const target = {
  image: [1, SIDE, SIDE],
  classes: 2,
  logits: (images: Value) => matmul(flatten(images), constant(tensor(weights, [PIXELS, 2]))),
  compile,
} as const;

/** Which of two candidates is kept: one that is white on its left half, or one that is grey all over. */
async function kept(flip?: number): Promise<"left" | "grey"> {
  const rows = Float32Array.from({ length: 2 * PIXELS }, (_, i) => (i < PIXELS ? (isLeft(i) ? 1 : 0) : 0.6));
  const found = await selectFinal({
    target,
    space: pixelSpace(target.image),
    identities: [0],
    rows,
    perIdentity: 1,
    views: 20,
    ...(flip !== undefined && { flip }),
    seed: 1,
    signal: new AbortController().signal,
  });
  return found.rows[0] === 1 ? "left" : "grey";
}

test("views are mirrored as often as they are not, unless a mirror image is said to show something else", async () => {
  expect(await kept()).toBe("grey");
  expect(await kept(0.5)).toBe("grey");
  expect(await kept(0)).toBe("left");
});
