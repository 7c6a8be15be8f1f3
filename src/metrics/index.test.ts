import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { picturesOf } from "../../test/support/evidence.ts";
import { random } from "../engine/random.ts";
import { metrics } from "./index.ts";
import type { Evidence, Metric } from "./metric.ts";

const CLASSES = 8;
const LENGTH = 3;
const SIZE = { channels: 1, height: 12, width: 12 };

/**
 * Each of `count` images shows class i mod (CLASSES − 1), so that the last class has none. At `strength` 0 answers are noise, and
 * features and images lie where no class is; a large strength moves them to their class.
 */
function judged(seed: number, name: string, count: number, strength: number) {
  const rng = random(seed, name);
  const labels = Int32Array.from({ length: count }, (_, i) => i % (CLASSES - 1));
  const logits = rng.normals(count * CLASSES);
  const features = rng.normals(count * LENGTH);
  const images = rng.normals(count * SIZE.height * SIZE.width);
  const share = strength / (1 + strength);
  labels.forEach((label, i) => {
    logits[i * CLASSES + label]! += strength;
    for (let j = 0; j < LENGTH; j++) {
      features[i * LENGTH + j] = 2 * features[i * LENGTH + j]! + 6 * (1 - share) + 3 * share * Math.sin(9 * label + j);
    }
    for (let j = 0; j < 144; j++) {
      images[i * 144 + j] = 0.5 + 0.05 * images[i * 144 + j]! + 0.3 * share * Math.sin(3 * label + (j % 12));
    }
  });
  return { labels, logits, features, images };
}

interface Parts {
  readonly natural: ReturnType<typeof judged>;
  readonly reconstructions: ReturnType<typeof judged>;
  readonly references: ReturnType<typeof judged>;
  readonly student: ReturnType<typeof judged>;
}

const parts = (seed: number, strength: number): Parts => ({
  natural: judged(seed, "natural", 40, strength),
  reconstructions: judged(seed, "reconstructions", 30, strength),
  references: judged(seed, "references", 35, 99),
  student: judged(seed, "student", 40, strength),
});

function evidenceFrom({ natural, reconstructions, references, student }: Parts, seed: number): Evidence {
  return {
    classes: Array.from({ length: CLASSES }, (_, c) => `person ${c}`),
    natural,
    reconstructions,
    references,
    student,
    featureLength: LENGTH,
    pictures: picturesOf(SIZE, reconstructions.images, references),
    seed,
  };
}

const evidence = (seed: number, strength: number) => evidenceFrom(parts(seed, strength), seed);

/** The rows of a row-major array in the given order. */
function reorder(values: Float32Array, order: Int32Array): Float32Array {
  const width = values.length / order.length;
  return Float32Array.from(values, (_, i) => values[order[Math.floor(i / width)]! * width + (i % width)]!);
}

function shuffled(all: Parts, seed: number): Parts {
  const mixed = (name: keyof Parts) => {
    const { labels, logits, features, images } = all[name];
    const order = random(seed, name).permutation(labels.length);
    return {
      labels: order.map((i) => labels[i]!),
      logits: reorder(logits, order),
      features: reorder(features, order),
      images: reorder(images, order),
    };
  };
  return {
    natural: mixed("natural"),
    reconstructions: mixed("reconstructions"),
    references: mixed("references"),
    student: mixed("student"),
  };
}

async function measured(metric: Metric, e: Evidence) {
  const found = await metric.measure(e);
  if (found === undefined) throw new Error(`${metric.kind} was not measured`);
  return found;
}

/** What a metric's `n` counts: reconstructions, or the images that stand beside them. */
const COUNTED: Readonly<Record<string, number>> = {
  "natural-accuracy": 40,
  "knowledge-extraction": 40,
  // Each class that has four reconstructions or private images counts with all its private images, five a class.
  recall: 35,
  coverage: 35,
};

test("every kind is listed once", () => {
  expect(new Set(metrics.map(({ kind }) => kind)).size).toBe(metrics.length);
});

describe.each<Metric>(metrics)("$kind", (metric) => {
  test("moves in its direction from noise to full recognition", async () => {
    const [weak, strong] = [await measured(metric, evidence(1, 0)), await measured(metric, evidence(1, 50))];
    if (metric.direction === "higher") expect(strong.value).toBeGreaterThan(weak.value);
    else expect(strong.value).toBeLessThan(weak.value);
  });

  test("does not depend on the order of images", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), async (seed, order) => {
        const all = parts(seed, 1);
        const [e, mixed] = [evidenceFrom(all, seed), evidenceFrom(shuffled(all, order), seed)];
        const [before, after] = [await measured(metric, e), await measured(metric, mixed)];
        expect(after.n).toBe(before.n);
        for (const key of ["value", "low", "high"] as const) expect(after[key]).toBeCloseTo(before[key], 6);
        const [left, right] = [await metric.perIdentity(e), await metric.perIdentity(mixed)];
        for (let c = 0; c < CLASSES - 1; c++) expect(right[c]).toBeCloseTo(left[c]!, 6);
      }),
      { numRuns: 10 },
    );
  });

  test("has its value within its interval, and counts images", async () => {
    const { value, n, low, high } = await measured(metric, evidence(2, 1.5));
    expect(low).toBeLessThan(value);
    expect(value).toBeLessThan(high);
    expect(low).toBeGreaterThanOrEqual(metric.range[0]);
    expect(high).toBeLessThanOrEqual(metric.range[1]);
    expect(n).toBe(COUNTED[metric.kind] ?? 30);
  });

  test("gives one value a class, NaN where there is no image", async () => {
    const values = await metric.perIdentity(evidence(3, 1));
    expect(values).toHaveLength(CLASSES);
    expect([...values].map(Number.isNaN)).toEqual([...Array(CLASSES - 1).fill(false), true]);
  });

  test("gives the same for the same evidence", async () => {
    expect(await measured(metric, evidence(4, 1))).toEqual(await measured(metric, evidence(4, 1)));
  });
});
