import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { random } from "../engine/random.ts";
import { metrics } from "./index.ts";
import type { Evidence } from "./metric.ts";

const CLASSES = 8;
const LENGTH = 3;

/** Each of `count` images shows class i mod (CLASSES − 1), so that the last class has none. `strength` is what a label adds to noise. */
function judged(seed: number, name: string, count: number, strength: number) {
  const rng = random(seed, name);
  const labels = Int32Array.from({ length: count }, (_, i) => i % (CLASSES - 1));
  const logits = rng.normals(count * CLASSES);
  const features = rng.normals(count * LENGTH);
  labels.forEach((label, i) => {
    logits[i * CLASSES + label]! += strength;
    for (let j = 0; j < LENGTH; j++) {
      features[i * LENGTH + j] = features[i * LENGTH + j]! / (1 + strength) + Math.sin(9 * label + j);
    }
  });
  return { labels, logits, features };
}

/** `strength` 0: answers and distances are noise; large: every answer is right and every feature vector near its class. */
function evidence(seed: number, strength: number): Evidence {
  return {
    classes: Array.from({ length: CLASSES }, (_, c) => `person ${c}`),
    natural: judged(seed, "natural", 40, strength),
    reconstructions: judged(seed, "reconstructions", 30, strength),
    references: judged(seed, "references", 35, 99),
    featureLength: LENGTH,
    seed,
  };
}

/** The rows of a row-major array in the given order. */
function reorder(values: Float32Array, order: Int32Array): Float32Array {
  const width = values.length / order.length;
  return Float32Array.from(values, (_, i) => values[order[Math.floor(i / width)]! * width + (i % width)]!);
}

function shuffled(e: Evidence, seed: number): Evidence {
  const order = (count: number, name: string) => random(seed, name).permutation(count);
  const n = order(e.natural.labels.length, "natural");
  const r = order(e.reconstructions.labels.length, "reconstructions");
  const p = order(e.references.labels.length, "references");
  return {
    ...e,
    natural: { labels: n.map((i) => e.natural.labels[i]!), logits: reorder(e.natural.logits, n) },
    reconstructions: {
      labels: r.map((i) => e.reconstructions.labels[i]!),
      logits: reorder(e.reconstructions.logits, r),
      features: reorder(e.reconstructions.features, r),
    },
    references: { labels: p.map((i) => e.references.labels[i]!), features: reorder(e.references.features, p) },
  };
}

test("every kind is listed once", () => {
  expect(new Set(metrics.map(({ kind }) => kind)).size).toBe(metrics.length);
});

describe.each(metrics)("$kind", (metric) => {
  test("moves in its direction from noise to full recognition", () => {
    const [weak, strong] = [metric.measure(evidence(1, 0)).value, metric.measure(evidence(1, 20)).value];
    if (metric.direction === "higher") expect(strong).toBeGreaterThan(weak);
    else expect(strong).toBeLessThan(weak);
  });

  test("does not depend on the order of images", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (seed, order) => {
        const e = evidence(seed, 1);
        const [before, after] = [metric.measure(e), metric.measure(shuffled(e, order))];
        expect(after.n).toBe(before.n);
        for (const key of ["value", "low", "high"] as const) expect(after[key]).toBeCloseTo(before[key], 9);
        const [left, right] = [metric.perIdentity(e), metric.perIdentity(shuffled(e, order))];
        for (let c = 0; c < CLASSES - 1; c++) expect(right[c]).toBeCloseTo(left[c]!, 9);
      }),
      { numRuns: 20 },
    );
  });

  test("has its value within its interval, and counts images", () => {
    const { value, n, low, high } = metric.measure(evidence(2, 1));
    expect(low).toBeLessThan(value);
    expect(value).toBeLessThan(high);
    expect(n).toBe(metric.measures === "utility" ? 40 : 30);
  });

  test("gives one value a class, NaN where there is no image", () => {
    const values = metric.perIdentity(evidence(3, 1));
    expect(values).toHaveLength(CLASSES);
    expect([...values].map(Number.isNaN)).toEqual([...Array(CLASSES - 1).fill(false), true]);
  });

  test("gives the same for the same evidence", () => {
    expect(metric.measure(evidence(4, 1))).toEqual(metric.measure(evidence(4, 1)));
  });
});
