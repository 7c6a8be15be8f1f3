import { describe, expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { checkGrads } from "../../test/support/check-grads.ts";
import { evaluate } from "../../test/support/evaluate.ts";
import { grad } from "../engine/autodiff.ts";
import { input, type Value } from "../engine/graph.ts";
import { random } from "../engine/random.ts";
import { setThreads } from "../engine/runtime.ts";
import { conditionalTransport, imageDistances, maximumMeanDiscrepancy, pyramid } from "./image-distance.ts";

setThreads(1);

const [n, m, d] = [3, 4, 5];
const made = random(1, "made").normals(n * d);
const wanted = random(1, "wanted").normals(m * d);
const rowsOf = (data: Float32Array) =>
  Array.from({ length: data.length / d }, (_, i) => [...data.subarray(i * d, (i + 1) * d)]);
const dot = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const squared = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0);
const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const between = (f: (a: Value, b: Value) => Value) =>
  evaluate(f(input("made", [n, d]), input("wanted", [m, d])), { made, wanted });

test("maximum mean discrepancy is the kernels' means, as by loops", async () => {
  const [xs, ys] = [rowsOf(made), rowsOf(wanted)];
  const all = [...xs, ...ys];
  let total = 0;
  for (const a of all) for (const b of all) total += squared(a, b);
  const bandwidth = total / (all.length ** 2 - all.length);
  const kernel = (a: number[], b: number[]) =>
    [0, 1, 2, 3, 4].reduce((sum, i) => sum + Math.exp(-squared(a, b) / ((bandwidth / 4) * 2 ** i)), 0);
  const block = (as: number[][], bs: number[][]) => mean(as.flatMap((a) => bs.map((b) => kernel(a, b))));
  const byLoops = block(xs, xs) - 2 * block(xs, ys) + block(ys, ys);
  expectAllClose(await between(maximumMeanDiscrepancy), [byLoops], { relative: 1e-4 });
});

test("conditional transport is the mean cost of both plans, as by loops", async () => {
  const [xs, ys] = [rowsOf(made), rowsOf(wanted)];
  const cost = (a: number[], b: number[]) => 1 - dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  const way = (from: number[][], to: number[][]) =>
    mean(
      from.map((a) => {
        const weights = to.map((b) => Math.exp(dot(a, b)));
        const sum = weights.reduce((p, q) => p + q, 0);
        return to.reduce((total, b, i) => total + (weights[i]! / sum) * cost(a, b), 0);
      }),
    );
  const byLoops = (way(ys, xs) + way(xs, ys)) / 2;
  expectAllClose(await between(conditionalTransport), [byLoops], { relative: 1e-4 });
});

describe.each(Object.entries(imageDistances))("the distance %s", (kind, distance) => {
  test("has gradients", async () => {
    // The bandwidth follows the images, but no gradient goes through it.
    if (kind !== "mmd")
      await checkGrads(
        (x, y) => distance(x!, y!),
        [
          [n, d],
          [n, d],
        ],
        { order: 1 },
      );
  });

  test("is smaller for images that are alike", async () => {
    const close = made.map((x, i) => x + 0.05 * Math.sin(i));
    const x = input("made", [n, d]);
    const to = async (others: Float32Array) =>
      (await evaluate(distance(x, input("others", [n, d])), { made, others }))[0]!;
    expect(await to(close)).toBeLessThan(await to(wanted.subarray(0, n * d)));
  });

  test("is finite, with finite gradients, for equal images", async () => {
    const [x, y] = [input("made", [n, d]), input("others", [n, d])];
    const apart = distance(x, y);
    const fed = { made, others: made };
    for (const v of [apart, grad(apart, [x])[0]!])
      expect([...(await evaluate(v, fed))].filter((number) => !Number.isFinite(number))).toEqual([]);
  });
});

test("the pyramid's squared distance is the mean over three sizes of the mean squared difference in [−1, 1]", async () => {
  const shape = [2, 1, 4, 4] as const;
  const images = random(2, "images").uniforms(32);
  const rows = await evaluate(pyramid(input("images", shape)), { images });
  const width = rows.length / 2;
  let got = 0;
  for (let i = 0; i < width; i++) got += (rows[i]! - rows[width + i]!) ** 2;
  const halved = (image: number[], side: number) =>
    Array.from({ length: (side / 2) ** 2 }, (_, at) => {
      const [y, x] = [2 * Math.floor(at / (side / 2)), 2 * (at % (side / 2))];
      return mean([0, 1].flatMap((i) => [0, 1].map((j) => image[(y + i) * side + x + j]!)));
    });
  const levels = [0, 1].map((i) => {
    const full = [...images.subarray(i * 16, (i + 1) * 16)];
    const half = halved(full, 4);
    return [full, half, halved(half, 2)];
  });
  const wantedDistance = mean(
    [0, 1, 2].map((l) => (4 * squared(levels[0]![l]!, levels[1]![l]!)) / levels[0]![l]!.length),
  );
  expect(got).toBeCloseTo(wantedDistance, 5);
});
