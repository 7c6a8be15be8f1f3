import { frechetDistance, momentsOf, type Rows, withoutPart } from "./frechet-distance.ts";
import { symmetricEigenvalues } from "./symmetric-eigenvalues.ts";

/** The Fréchet distance without the given rows of either set, each named by its index. */
export type FrechetLeaving = (leftReal: readonly number[], leftFake: readonly number[]) => number;

/** Products of all pairs that are kept, as numbers: 256 MiB. */
const MOST_PRODUCTS = 2 ** 25;

/**
 * Opens `frechetDistance` of two sets for being asked many times, each time without a few rows, as a jackknife does. With no more fake
 * rows than features all follows from products of pairs, which are computed once.
 * @param real at least two rows of length d, whatever is left out
 * @param fake likewise
 */
export function frechetLeaving(real: Rows, fake: Rows, d: number): FrechetLeaving {
  return fake.length <= d && fake.length * real.length <= MOST_PRODUCTS
    ? fromProducts(real, fake, d)
    : fromMoments(real, fake, d);
}

const others = (n: number, left: readonly number[]) => {
  const leaving = new Set(left);
  return Array.from({ length: n }, (_, i) => i).filter((i) => !leaving.has(i));
};

function fromMoments(real: Rows, fake: Rows, d: number): FrechetLeaving {
  const all = momentsOf(real, d);
  return (leftReal, leftFake) => {
    const kept = others(fake.length, leftFake).map((i) => fake[i]!);
    const part = leftReal.map((i) => real[i]!);
    return frechetDistance(part.length === 0 ? all : withoutPart(all, momentsOf(part, d)), kept);
  };
}

/**
 * With B = X Rᵀ, fake rows X by real rows R: X (Σ r rᵀ) Xᵀ = B Bᵀ, so that x Σ_r y = (B Bᵀ − u uᵀ / n) / (n − 1) with u = X Σ r, and
 * Fᵀ Σ_r F of the centred factor F is that less its means of rows and columns, over k − 1. Rows that are left out are taken off the sums.
 */
function fromProducts(real: Rows, fake: Rows, d: number): FrechetLeaving {
  const [n, k] = [real.length, fake.length];
  const products = fake.map((x) => Float64Array.from(real, (r) => dot(x, r, d)));
  const squares = new Float64Array(k * k);
  for (let i = 0; i < k; i++) for (let j = 0; j <= i; j++) squares[i * k + j] = dot(products[i]!, products[j]!, n);
  const sums = { real: sumOf(real, d), fake: sumOf(fake, d), products: products.map(total) };
  const lengths = { real: lengthsOf(real, d), fake: lengthsOf(fake, d) };
  const whole = { real: total(lengths.real), fake: total(lengths.fake) };

  return (leftReal, leftFake) => {
    const kept = others(k, leftFake);
    const [m, size] = [n - leftReal.length, kept.length];
    const u = kept.map((i) => leftReal.reduce((sum, l) => sum - products[i]![l]!, sums.products[i]!));
    const inner = new Float64Array(size * size);
    for (let a = 0; a < size; a++) {
      const [i, row] = [kept[a]!, products[kept[a]!]!];
      for (let b = 0; b <= a; b++) {
        const other = products[kept[b]!]!;
        let sum = squares[i * k + kept[b]!]!;
        for (const l of leftReal) sum -= row[l]! * other[l]!;
        const value = (sum - (u[a]! * u[b]!) / m) / (m - 1) / (size - 1);
        inner[a * size + b] = value;
        inner[b * size + a] = value;
      }
    }
    centre(inner, size);
    const root = symmetricEigenvalues(inner, size).reduce((sum, x) => sum + Math.sqrt(Math.max(0, x)), 0);

    const own = without(sums.real, real, leftReal, d).map((x) => x / m);
    const found = without(sums.fake, fake, leftFake, d).map((x) => x / size);
    const spread = (squared: number, mean: Float64Array, count: number) =>
      (squared - count * dot(mean, mean, d)) / (count - 1);
    const squaredReal = leftReal.reduce((sum, i) => sum - lengths.real[i]!, whole.real);
    const squaredFake = leftFake.reduce((sum, i) => sum - lengths.fake[i]!, whole.fake);
    let distance = spread(squaredReal, own, m) + spread(squaredFake, found, size) - 2 * root;
    for (let j = 0; j < d; j++) distance += (own[j]! - found[j]!) ** 2;
    return Math.max(0, distance);
  };
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += a[i]! * b[i]!;
  return sum;
}

const total = (values: Float64Array) => values.reduce((a, b) => a + b, 0);

const lengthsOf = (rows: Rows, d: number) => Float64Array.from(rows, (row) => dot(row, row, d));

function sumOf(rows: Rows, d: number): Float64Array {
  const sum = new Float64Array(d);
  for (const row of rows) for (let j = 0; j < d; j++) sum[j]! += row[j]!;
  return sum;
}

function without(sum: Float64Array, rows: Rows, left: readonly number[], d: number): Float64Array {
  const part = sumOf(
    left.map((i) => rows[i]!),
    d,
  );
  return sum.map((x, j) => x - part[j]!);
}

/** Takes the means of rows and of columns off a symmetric matrix. */
function centre(matrix: Float64Array, n: number): void {
  const means = Float64Array.from({ length: n }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += matrix[i * n + j]!;
    return sum / n;
  });
  const mean = means.reduce((a, b) => a + b, 0) / n;
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) matrix[i * n + j]! += mean - means[i]! - means[j]!;
}
