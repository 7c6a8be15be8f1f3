import fc from "fast-check";
import { expect, test } from "vitest";
import { type Featured, featureEvidence } from "../../test/support/evidence.ts";
import { random } from "../engine/random.ts";
import { fid } from "./fid.ts";
import { frechetDistance, momentsOf, withoutPart } from "./frechet-distance.ts";

const distance = (real: readonly number[][], fake: readonly number[][]) =>
  frechetDistance(momentsOf(real, real[0]!.length), fake);

function draw(seed: number, name: string, count: number, d: number, scale = 1, shift = 0): number[][] {
  const rng = random(seed, name);
  return Array.from({ length: count }, () => [...rng.normals(d)].map((x) => scale * x + shift));
}

/** In the plane the root of a product of covariances has the trace √(tr + 2 √det). */
function planar(real: readonly number[][], fake: readonly number[][]): number {
  const moments = (rows: readonly number[][]) => {
    const mean = [0, 1].map((j) => rows.reduce((sum, r) => sum + r[j]!, 0) / rows.length);
    const cov = (i: number, j: number) =>
      rows.reduce((sum, r) => sum + (r[i]! - mean[i]!) * (r[j]! - mean[j]!), 0) / (rows.length - 1);
    return { mean, a: cov(0, 0), b: cov(0, 1), c: cov(1, 1) };
  };
  const [p, q] = [moments(real), moments(fake)];
  const productTrace = p.a * q.a + 2 * p.b * q.b + p.c * q.c;
  const determinant = (p.a * p.c - p.b ** 2) * (q.a * q.c - q.b ** 2);
  const root = Math.sqrt(productTrace + 2 * Math.sqrt(determinant));
  const gap = p.mean.reduce((sum, m, i) => sum + (m - q.mean[i]!) ** 2, 0);
  return gap + p.a + p.c + q.a + q.c - 2 * root;
}

test("of numbers it is the squared distance of means plus that of standard deviations", () => {
  // Means 1 and 5, standard deviations √2 and 3√2.
  expect(distance([[0], [2]], [[2], [8]])).toBeCloseTo(16 + (3 * Math.SQRT2 - Math.SQRT2) ** 2, 12);
});

test("agrees with the closed form in the plane, for many vectors and for few", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 3, max: 12 }), fc.integer({ min: 3, max: 12 }), (seed, n, m) => {
      const [real, fake] = [draw(seed, "real", n, 2, 2), draw(seed, "fake", m, 2, 1, 3)];
      expect(distance(real, fake)).toBeCloseTo(planar(real, fake), 8);
    }),
    { numRuns: 50 },
  );
});

// Where the covariance has no variance, eigenvalues of zero come out as rounding errors, and their roots count.
test("fewer vectors than features give the same as the plane that they lie in", () => {
  // (x, y) on two orthonormal directions of a space of nine.
  const lift = ([x, y]: readonly number[]) =>
    Array.from({ length: 9 }, (_, j) => (j < 4 ? x! / 2 : j < 8 ? y! * (j % 2 === 0 ? 0.5 : -0.5) : 1));
  const [real, fake] = [draw(1, "real", 30, 2, 2), draw(1, "fake", 5, 2, 1, 3)];
  expect(distance(real.map(lift), fake.map(lift))).toBeCloseTo(planar(real, fake), 6);
  const many = draw(1, "many", 40, 2);
  expect(distance(real.map(lift), many.map(lift)), "more vectors than features, most without variance").toBeCloseTo(
    planar(real, many),
    6,
  );
});

test("of a set to itself it is zero, and it is symmetric", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 2, max: 9 }), fc.integer({ min: 1, max: 9 }), (seed, n, d) => {
      const [a, b] = [draw(seed, "a", n, d), draw(seed, "b", 6, d, 2, 1)];
      // With fewer vectors than features some eigenvalues are zero but for rounding, and their roots count.
      expect(distance(a, a)).toBeCloseTo(0, 4);
      expect(distance(a, b)).toBeCloseTo(distance(b, a), 4);
    }),
    { numRuns: 50 },
  );
});

test("sums without a part are the sums of the rest", () => {
  const rows = draw(3, "rows", 9, 4);
  const rest = withoutPart(momentsOf(rows, 4), momentsOf(rows.slice(6), 4));
  const fake = draw(3, "fake", 5, 4);
  expect(frechetDistance(rest, fake)).toBeCloseTo(distance(rows.slice(0, 6), fake), 9);
});

const rowsOf = (label: number, rows: readonly number[][]): Featured[] => rows.map((row) => [label, row]);

test("the metric compares with the attacked identities' private images alone", async () => {
  const [real, fake] = [draw(5, "real", 8, 2), draw(5, "fake", 6, 2, 2)];
  const others = rowsOf(1, draw(5, "others", 8, 2, 50));
  const e = featureEvidence(rowsOf(0, fake), [...rowsOf(0, real), ...others]);
  expect(fid.measure(e)?.value).toBeCloseTo(planar(real, fake), 6);
  expect(fid.measure(e)).toMatchObject({ n: 6 });
  expect(fid.perIdentity(e)[0]).toBeCloseTo(planar(real, fake), 6);
});

test("its interval leaves out identities in turn: with two, t = 12.706", () => {
  const real = [draw(6, "r0", 5, 2), draw(6, "r1", 5, 2, 1, 4)] as const;
  const fake = [draw(6, "f0", 4, 2), draw(6, "f1", 4, 2, 3, 4)] as const;
  const e = featureEvidence(
    fake.flatMap((rows, label) => rowsOf(label, rows)),
    real.flatMap((rows, label) => rowsOf(label, rows)),
  );
  const [without0, without1] = [planar(real[1], fake[1]), planar(real[0], fake[0])];
  const mean = (without0 + without1) / 2;
  const half = 12.706 * Math.sqrt(((without0 - mean) ** 2 + (without1 - mean) ** 2) / 2);
  const { value, low, high } = fid.measure(e)!;
  expect(value).toBeCloseTo(planar(real.flat(), fake.flat()), 6);
  expect(high).toBeCloseTo(value + half, 5);
  expect(low).toBeCloseTo(Math.max(0, value - half), 5);
});

test("one image a side has no covariance: nothing is measured", () => {
  expect(fid.measure(featureEvidence([[0, [1, 1]]], rowsOf(0, draw(7, "real", 4, 2))))).toBeUndefined();
  expect(() => distance([[1]], [[1], [2]])).toThrow("two vectors, got 1 and 2");
});
