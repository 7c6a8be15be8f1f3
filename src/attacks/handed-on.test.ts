import { expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { evaluate } from "../../test/support/evaluate.ts";
import { constant } from "../engine/graph.ts";
import { add } from "../engine/ops/elementwise.ts";
import { sliceAxis } from "../engine/ops/movement.ts";
import { random } from "../engine/random.ts";
import { tensor } from "../engine/tensor.ts";
import { handedOn } from "./handed-on.ts";

// Three public rows of shape [2, 1], their mean (2, 4).
const spread = handedOn(Float32Array.of(1, 2, 2, 4, 3, 6), [2, 1]);
const handed = constant(tensor([10, 20, 30, 40], [2, 2, 1]));

test("a copy is moved by its share of a public row's deviation from the mean, as by hand", async () => {
  const { handed: copies } = spread.shaken(handed, 0.5, 2);
  expect(copies.shape).toEqual([4, 2, 1]);
  // Copy by copy: both rows by the first deviation (−1, −2), then by none and by the last (1, 2).
  const found = await evaluate(copies, { "shaken/picked": Int32Array.of(0, 0, 1, 2) });
  expectAllClose(found as Float32Array, [9.5, 19, 29.5, 39, 10, 20, 30.5, 41], { absolute: 1e-6 });
});

test("draws cover all public rows, so that the noise has their mean and covariance", async () => {
  const { draw } = spread.shaken(handed, 1, 3000);
  const picked = draw(random(1))["shaken/picked"]!;
  const counts = [0, 1, 2].map((row) => picked.filter((p) => p === row).length);
  expect(picked.length).toBe(6000);
  for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(150);
});

test("copies of another name are fed apart", async () => {
  const { handed: few } = spread.shaken(handed, 1, 1);
  const { handed: many, draw } = spread.shaken(handed, 1, 2, "more");
  expect(Object.keys(draw(random(1)))).toEqual(["more/picked"]);
  const found = await evaluate(add(few, sliceAxis(many, 0, 0, 2)), {
    "shaken/picked": Int32Array.of(0, 0),
    "more/picked": Int32Array.of(2, 2, 0, 0),
  });
  expectAllClose(found as Float32Array, [20, 40, 60, 80], { absolute: 1e-5 });
});

test("nothing is moved by a share of 0", async () => {
  const { handed: copies, draw } = spread.shaken(handed, 0, 1);
  expectAllClose((await evaluate(copies, draw(random(1)))) as Float32Array, [10, 20, 30, 40], { absolute: 0 });
});

test("a row moves by public deviations, and distances are measured in theirs, as by hand", async () => {
  // √3 times (1, 0, 0): the first deviation (−1, −2). The mean squared deviation is 2/3 · 5.
  const coordinates = constant(tensor([Math.sqrt(3), 0, 0, 0, 0, 0], [2, 3]));
  const moved = spread.moved(handed, coordinates);
  expectAllClose((await evaluate(moved, {})) as Float32Array, [9, 18, 30, 40], { absolute: 1e-5 });
  const apart = await evaluate(spread.distances(moved, handed), {});
  expectAllClose(apart as Float32Array, [5 / (10 / 3), 0], { absolute: 1e-5 });
  const still = await evaluate(handedOn(Float32Array.of(1, 2, 1, 2), [2, 1]).distances(moved, handed), {});
  expectAllClose(still as Float32Array, [5, 0], { absolute: 1e-5 });
});
