import { describe, expect, test } from "vitest";
import { privacySpent, renyiPrivacy } from "./rdp.ts";

/** ln of the closed form for whole orders: Σ_k C(α, k) (1 − q)^(α − k) q^k exp((k² − k) / 2σ²) (Mironov et al. 2019, eq. 5). */
function closedForm(q: number, sigma: number, order: number): number {
  let logChoose = 0;
  const terms: number[] = [];
  for (let k = 0; k <= order; k++) {
    if (k > 0) logChoose += Math.log(order - k + 1) - Math.log(k);
    terms.push(logChoose + (order - k) * Math.log1p(-q) + k * Math.log(q) + (k * k - k) / (2 * sigma * sigma));
  }
  const top = Math.max(...terms);
  return (top + Math.log(terms.reduce((sum, t) => sum + Math.exp(t - top), 0))) / (order - 1);
}

describe("Rényi privacy of the sampled Gaussian mechanism", () => {
  // The test suite of TensorFlow Privacy.
  test.each([
    [0.1, 2, 10, 5, 0.07737],
    [0.01, 2.5, 50, 1.5, 0.00065],
    [0.01, 2.5, 50, 2.5, 0.001085],
    [0.01, 2.5, 50, 5, 0.00218075],
    [0.01, 2.5, 50, 50, 0.023846],
    [0.01, 2.5, 50, 100, 167.416307],
    [1, 10, 1, 20, 0.1],
    [0, 10, 1, 20, 0],
  ])(
    "at q %f, σ %f, %d steps and order %f is the published %f",
    (sampleRate, noiseMultiplier, steps, order, wanted) => {
      expect(renyiPrivacy({ sampleRate, noiseMultiplier, steps }, order)).toBeCloseTo(wanted, 5);
    },
  );

  test.each([
    [0.02, 1.1, 8],
    [0.3, 0.5, 3],
    [0.001, 4, 256],
    [0.5, 0.3, 32],
    [0.99, 0.1, 64],
  ])("at q %f, σ %f and order %d agrees with the closed form", (q, sigma, order) => {
    const found = renyiPrivacy({ sampleRate: q, noiseMultiplier: sigma, steps: 1 }, order);
    expect(Math.abs(found / closedForm(q, sigma, order) - 1)).toBeLessThan(1e-6);
  });

  test.each([
    [0.02, 1.1, 8],
    [0.3, 0.5, 3],
    [0.5, 0.3, 32],
    [0.99, 0.1, 64],
  ])("at q %f, σ %f and a broken order beside %d, which is integrated, joins the closed form", (q, sigma, order) => {
    const at = (alpha: number) => renyiPrivacy({ sampleRate: q, noiseMultiplier: sigma, steps: 1 }, alpha);
    const [below, above] = [at(order - 1e-6), at(order + 1e-6)];
    expect(Math.abs((below + above) / 2 / closedForm(q, sigma, order) - 1)).toBeLessThan(1e-8);
    expect(below).toBeLessThan(above);
  });

  test("of next to no noise is next to none, and takes no time", () => {
    const { epsilon } = privacySpent({ sampleRate: 0.1, noiseMultiplier: 1e-6, steps: 1 }, 1e-5);
    expect(epsilon).toBeGreaterThan(1e9);
  });

  test("grows with the sample rate and the order, and falls with the noise", () => {
    const at = (sampleRate: number, noiseMultiplier: number, order: number) =>
      renyiPrivacy({ sampleRate, noiseMultiplier, steps: 1 }, order);
    expect(at(0.02, 1, 4.5)).toBeGreaterThan(at(0.01, 1, 4.5));
    expect(at(0.01, 1, 4.5)).toBeGreaterThan(at(0.01, 1, 4.4));
    expect(at(0.01, 1, 4.5)).toBeGreaterThan(at(0.01, 1.1, 4.5));
  });
});

describe("the (ε, δ) that is spent", () => {
  const mechanism = { sampleRate: 0.01, noiseMultiplier: 4, steps: 10_000 };
  const whole = Array.from({ length: 31 }, (_, i) => i + 2);

  test("by the first conversion, RDP − ln δ / (α − 1), would be the published 1.258575 at order 20", () => {
    const first = whole.map((order) => renyiPrivacy(mechanism, order) - Math.log(1e-5) / (order - 1));
    expect(Math.min(...first)).toBeCloseTo(1.258575, 5);
    expect(whole[first.indexOf(Math.min(...first))]).toBe(20);
  });

  test("is smaller by the later one, which is the least over the orders", () => {
    const later = whole.map(
      (order) =>
        renyiPrivacy(mechanism, order) +
        Math.log((order - 1) / order) -
        (Math.log(1e-5) + Math.log(order)) / (order - 1),
    );
    const spent = privacySpent(mechanism, 1e-5, whole);
    expect(spent.epsilon).toBeCloseTo(Math.min(...later), 12);
    expect(spent).toMatchObject({ delta: 1e-5, order: whole[later.indexOf(Math.min(...later))] });
    expect(spent.epsilon).toBeLessThan(1.258575);
    expect(privacySpent(mechanism, 1e-5).epsilon).toBeLessThanOrEqual(spent.epsilon);
  });

  test("grows with the steps", () => {
    const at = (steps: number) => privacySpent({ ...mechanism, steps }, 1e-5).epsilon;
    expect(at(1)).toBeLessThan(at(10));
    expect(at(10_000)).toBeLessThan(at(20_000));
  });
});
