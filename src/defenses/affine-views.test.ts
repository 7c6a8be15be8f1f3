import { describe, expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { flipImage } from "../data/augment.ts";
import { grad } from "../engine/autodiff.ts";
import { input } from "../engine/graph.ts";
import { mul } from "../engine/ops/elementwise.ts";
import { sum } from "../engine/ops/reduce.ts";
import { random } from "../engine/random.ts";
import { compile, setThreads } from "../engine/runtime.ts";
import { type AffineView, affineViews, drawView } from "./affine-views.ts";

setThreads(1);

const SIZE = { channels: 2, height: 9, width: 9 } as const;
const LENGTH = 2 * 9 * 9;
const whole: AffineView = { scale: 1, top: 0, left: 0, mirrored: false, angle: 0 };

async function seen(images: Float32Array, ...views: AffineView[]): Promise<Float32Array> {
  const x = input("x", [views.length, 2, 9, 9]);
  const of = affineViews(x, "view");
  const program = await compile({ outputs: { y: of.images } });
  const { y } = await program.run({ x: images, ...of.feeds(views) });
  const out = Float32Array.from(y!.data);
  await program.release();
  return out;
}

const noise = random(1, "images").uniforms(2 * LENGTH);
/** Channel c of an image is a·x + b·y + c at offsets x, y from its centre. */
const ramp = (a: number, b: number) =>
  Float32Array.from(
    { length: LENGTH },
    (_, i) => a * ((i % 9) - 4) + b * ((Math.floor(i / 9) % 9) - 4) + Math.floor(i / 81),
  );

describe("views", () => {
  test("of the whole image are the image", async () => {
    expectAllClose(await seen(noise, whole, whole), noise);
  });

  test("mirror each image by itself", async () => {
    const wanted = noise.slice();
    flipImage(wanted.subarray(LENGTH), SIZE);
    expectAllClose(await seen(noise, whole, { ...whole, mirrored: true }), wanted);
  });

  test("turn counter-clockwise, with black where nothing is", async () => {
    const turned = await seen(ramp(0.3, -0.2), { ...whole, angle: 30 });
    const [cos, sin] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)];
    for (const [x, y] of [
      [0, 0],
      [2, 1],
      [-3, 2],
      [1, -3],
    ] as const) {
      // What is seen at (x, y) stood at the place from which a counter-clockwise turn (y points down) leads there.
      const [from, down] = [cos * x - sin * y, sin * x + cos * y];
      expect(turned[(y + 4) * 9 + x + 4]).toBeCloseTo(0.3 * from - 0.2 * down, 5);
    }
    expect(turned[81 + 0], "a corner").toBe(0);
    const quarter = await seen(noise.subarray(0, LENGTH), { ...whole, angle: 90 });
    expect(quarter[0], "the top right corner has gone to the top left").toBeCloseTo(noise[8]!, 5);
  });

  test("crop as a linear map of the places", async () => {
    const cropped = await seen(ramp(1, 10), { ...whole, scale: 0.5, top: 1, left: 0.5 });
    // Half of 9 pixels, in the middle across and at the bottom: its centre lies 2.25 below the image's.
    const at = (x: number, y: number) => cropped[(y + 4) * 9 + x + 4]!;
    expect(at(0, 0)).toBeCloseTo(22.5, 4);
    expect(at(2, 1) - at(0, 0)).toBeCloseTo(1 + 5, 4);
  });

  test("hand gradients on to the pixels that they are made of", async () => {
    const x = input("x", [1, 2, 9, 9]);
    const views = affineViews(x, "view");
    const weight = input("weight", [1, 2, 9, 9]);
    const program = await compile({ outputs: { g: grad(sum(mul(views.images, weight)), [x])[0]! } });
    const feeds = views.feeds([drawView(random(3, "view"))]);
    const [a, b] = [random(4, "a").normals(LENGTH), random(4, "b").normals(LENGTH)];
    const { g } = await program.run({ x: a, weight: b, ...feeds });
    await program.release();
    const forward = await compile({ outputs: { y: views.images } });
    const { y } = await forward.run({ x: a, ...feeds });
    const dot = (p: ArrayLike<number>, q: ArrayLike<number>) =>
      Array.from({ length: LENGTH }, (_, i) => p[i]! * q[i]!).reduce((u, v) => u + v, 0);
    // The map is linear, so ⟨b, V·a⟩ = ⟨Vᵀ·b, a⟩.
    expect(dot(g!.data, a)).toBeCloseTo(dot(b, y!.data), 3);
    await forward.release();
  });

  test("are drawn with each change in half of them", () => {
    const rng = random(5, "views");
    const drawn = Array.from({ length: 2000 }, () => drawView(rng));
    for (const changed of [
      drawn.filter((v) => v.scale < 1),
      drawn.filter((v) => v.mirrored),
      drawn.filter((v) => v.angle !== 0),
    ])
      expect(Math.abs(changed.length / 2000 - 0.5)).toBeLessThan(0.05);
    expect(Math.min(...drawn.map((v) => v.scale ** 2))).toBeGreaterThan(0.8 - 1e-9);
    expect(Math.max(...drawn.map((v) => Math.abs(v.angle)))).toBeLessThan(30);
    expect(Math.max(...drawn.map((v) => Math.abs(v.angle)))).toBeGreaterThan(28);
  });
});
