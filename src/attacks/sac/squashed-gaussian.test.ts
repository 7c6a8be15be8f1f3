import { describe, expect, test } from "vitest";
import { expectAllClose } from "../../../test/support/all-close.ts";
import { checkGrads } from "../../../test/support/check-grads.ts";
import { evaluate } from "../../../test/support/evaluate.ts";
import { grad } from "../../engine/autodiff.ts";
import { input, type Value } from "../../engine/graph.ts";
import { sum } from "../../engine/ops/reduce.ts";
import { random } from "../../engine/random.ts";
import { squashedGaussian } from "./squashed-gaussian.ts";

/** Each row's log density of a = tanh u in double precision, by the change of variables: 1 − tanh² u is 1/cosh² u. */
function densityByHand(mean: Float32Array, logDeviation: Float32Array, noise: Float32Array, width: number): number[] {
  const terms = Array.from(mean, (mu, i) => {
    const u = mu + Math.exp(logDeviation[i]!) * noise[i]!;
    const gaussian = -0.5 * noise[i]! ** 2 - logDeviation[i]! - 0.5 * Math.log(2 * Math.PI);
    // ln cosh u = |u| + ln((1 + e^(−2|u|))/2)
    return gaussian + 2 * (Math.abs(u) + Math.log1p(Math.exp(-2 * Math.abs(u))) - Math.LN2);
  });
  return Array.from({ length: mean.length / width }, (_, row) =>
    terms.slice(row * width, (row + 1) * width).reduce((a, b) => a + b),
  );
}

const drawOf = (shape: readonly number[]) =>
  squashedGaussian(input("mean", shape), input("logDeviation", shape), input("noise", shape));

test("is the Gaussian's density by the change of variables, row by row", async () => {
  const numbers = (name: string) => random(3, name).normals(12);
  const feeds = { mean: numbers("mean"), logDeviation: numbers("deviation"), noise: numbers("noise") };
  const { action, logProbability } = drawOf([2, 2, 3]);
  expect(logProbability.shape).toEqual([2, 2]);
  const wanted = densityByHand(feeds.mean, feeds.logDeviation, feeds.noise, 3);
  expectAllClose(await evaluate(logProbability, feeds), wanted, { relative: 1e-5, absolute: 1e-5 });
  const u = feeds.mean.map((mu, i) => mu + Math.exp(feeds.logDeviation[i]!) * feeds.noise[i]!);
  expectAllClose(await evaluate(action, feeds), u.map(Math.tanh), { absolute: 1e-6 });
});

test("integrates to one over the actions", async () => {
  // Actions at equal distances, and the noise that leads to each.
  const [mu, logSigma, count] = [0.4, -0.3, 4000];
  const actions = Float64Array.from({ length: count }, (_, i) => -1 + (2 * (i + 0.5)) / count);
  const feeds = {
    mean: new Float32Array(count).fill(mu),
    logDeviation: new Float32Array(count).fill(logSigma),
    noise: Float32Array.from(actions, (a) => (Math.atanh(a) - mu) / Math.exp(logSigma)),
  };
  const { logProbability } = drawOf([count, 1]);
  const densities = Array.from(await evaluate(logProbability, feeds), (log) => Math.exp(log));
  const total = densities.reduce((sum, density) => sum + density * (2 / count), 0);
  expect(total).toBeCloseTo(1, 3);
});

describe("where tanh is ±1 in float32", () => {
  const feeds = {
    mean: Float32Array.of(8.9, -8.9, 12, -12, 40, -40, 300, -300),
    logDeviation: Float32Array.of(-20, 2, -20, 2, -5, -5, 2, 2),
    noise: Float32Array.of(0, -1, 3, -2, 1, -1, 4, -4),
  };
  const draw = drawOf([8, 1]);

  test("the density is as in double precision", async () => {
    const [got, action] = [await evaluate(draw.logProbability, feeds), await evaluate(draw.action, feeds)];
    expect([...action].slice(2)).toEqual([1, -1, 1, -1, 1, -1]);
    expectAllClose(got, densityByHand(feeds.mean, feeds.logDeviation, feeds.noise, 1), { relative: 1e-5 });
  });

  test("its slope by the mean is 2·tanh u, and by log σ 2·tanh u·σ·ε − 1", async () => {
    const mean = input("mean", [8, 1]);
    const logDeviation = input("logDeviation", [8, 1]);
    const { logProbability } = squashedGaussian(mean, logDeviation, input("noise", [8, 1]));
    const [byMean, byDeviation] = grad(sum(logProbability), [mean, logDeviation]) as [Value, Value];
    const shift = feeds.logDeviation.map((l, i) => Math.exp(l) * feeds.noise[i]!);
    const slope = Array.from(feeds.mean, (mu, i) => 2 * Math.tanh(mu + shift[i]!));
    expectAllClose(await evaluate(byMean, feeds), slope, { relative: 1e-5 });
    expectAllClose(
      await evaluate(byDeviation, feeds),
      slope.map((s, i) => s * shift[i]! - 1),
      { relative: 1e-5, absolute: 1e-5 },
    );
  });

  test("a difference of neighbouring densities agrees with the slope", async () => {
    const h = 0.25;
    const at = (shift: number) => evaluate(draw.logProbability, { ...feeds, mean: feeds.mean.map((m) => m + shift) });
    const [up, down] = [Float32Array.from(await at(h)), Float32Array.from(await at(-h))];
    expectAllClose(
      up.map((x, i) => (x - down[i]!) / (2 * h)),
      feeds.mean.map((m) => 2 * Math.sign(m)),
      { relative: 2e-3 },
    );
  });
});

test("gradients agree with finite differences", async () => {
  await checkGrads(
    (mean, deviation, noise) => squashedGaussian(mean, deviation, noise).logProbability,
    [
      [2, 3],
      [2, 3],
      [2, 3],
    ],
  );
  await checkGrads(
    (mean, deviation, noise) => squashedGaussian(mean, deviation, noise).action,
    [
      [2, 3],
      [2, 3],
      [2, 3],
    ],
  );
});
