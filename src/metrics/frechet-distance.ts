import { symmetricEigenvalues } from "./symmetric-eigenvalues.ts";

/** Sums over feature vectors, from which their mean and covariance follow. Sums of parts can be taken off again. */
export interface Moments {
  readonly count: number;
  /** Σ x, length d. */
  readonly sum: Float64Array;
  /** Σ x xᵀ, d × d. */
  readonly products: Float64Array;
}

/** Rows of length d, one after the other. */
export type Rows = readonly ArrayLike<number>[];

/** The sums over the given rows of length `d`. */
export function momentsOf(rows: Rows, d: number): Moments {
  const sum = new Float64Array(d);
  const products = new Float64Array(d * d);
  for (const row of rows) {
    for (let i = 0; i < d; i++) {
      const x = row[i]!;
      sum[i]! += x;
      // Features after a ReLU are zero more often than not.
      if (x === 0) continue;
      for (let j = 0; j <= i; j++) products[i * d + j]! += x * row[j]!;
    }
  }
  for (let i = 0; i < d; i++) for (let j = 0; j < i; j++) products[j * d + i] = products[i * d + j]!;
  return { count: rows.length, sum, products };
}

/** The sums without those of a part. */
export function withoutPart(all: Moments, part: Moments): Moments {
  return {
    count: all.count - part.count,
    sum: all.sum.map((x, i) => x - part.sum[i]!),
    products: all.products.map((x, i) => x - part.products[i]!),
  };
}

const meanOf = ({ sum, count }: Moments) => sum.map((x) => x / count);

/** Σ = (Σ x xᵀ − n μ μᵀ) / (n − 1) */
function covariance({ count, sum, products }: Moments): Float64Array {
  const d = sum.length;
  return products.map((x, at) => (x - (sum[Math.floor(at / d)]! * sum[at % d]!) / count) / (count - 1));
}

/** A matrix F, given by its k columns of length d, with F Fᵀ = Σ of the rows, k = min(n, d). */
function covarianceFactor(rows: Rows, d: number): { mean: Float64Array; columns: Float64Array[] } {
  const n = rows.length;
  const mean = new Float64Array(d);
  for (const row of rows) for (let i = 0; i < d; i++) mean[i]! += row[i]! / n;
  const centred = rows.map((row) => mean.map((m, i) => (row[i]! - m) / Math.sqrt(n - 1)));
  return { mean, columns: n <= d ? centred : choleskyColumns(momentsOf(centred, d).products, d) };
}

/** The columns of the lower triangular L with L Lᵀ = a, a positive semidefinite and written over; directions without variance get zeros. */
function choleskyColumns(a: Float64Array, d: number): Float64Array[] {
  let largest = 0;
  for (let i = 0; i < d; i++) largest = Math.max(largest, a[i * d + i]!);
  return Array.from({ length: d }, (_, k) => {
    const column = new Float64Array(d);
    const pivot = a[k * d + k]!;
    if (pivot <= largest * d * Number.EPSILON) return column;
    for (let i = k; i < d; i++) column[i] = a[i * d + k]! / Math.sqrt(pivot);
    for (let i = k + 1; i < d; i++) for (let j = k + 1; j <= i; j++) a[i * d + j]! -= column[i]! * column[j]!;
    return column;
  });
}

/**
 * ‖μ_r − μ_f‖² + Tr(Σ_r + Σ_f − 2 (Σ_r Σ_f)^½), the squared Fréchet distance between the normal distributions with the means and
 * covariances (divisor n − 1) of two sets of vectors (Heusel et al. 2017, equation 6).
 *
 * With Σ_f = F Fᵀ the product Σ_r Σ_f has the eigenvalues of Fᵀ Σ_r F beside zeros. That is a symmetric k × k matrix, k = min(n, d),
 * so few vectors of many features need no square root of a d × d matrix, and no eigenvalue is complex. Rounding below zero counts as zero.
 * @param real sums over the first set, of at least two vectors
 * @param fake the second set, at least two vectors
 */
export function frechetDistance(real: Moments, fake: Rows): number {
  const d = real.sum.length;
  if (real.count < 2 || fake.length < 2) {
    throw new RangeError(`a covariance needs two vectors, got ${real.count} and ${fake.length}`);
  }
  const { mean, columns } = covarianceFactor(fake, d);
  const sigma = covariance(real);
  const k = columns.length;
  const inner = new Float64Array(k * k);
  const product = new Float64Array(d);
  columns.forEach((column, a) => {
    for (let i = 0; i < d; i++) {
      let sum = 0;
      for (let j = 0; j < d; j++) sum += sigma[i * d + j]! * column[j]!;
      product[i] = sum;
    }
    for (let b = 0; b <= a; b++) {
      const other = columns[b]!;
      let sum = 0;
      for (let i = 0; i < d; i++) sum += product[i]! * other[i]!;
      inner[a * k + b] = sum;
      inner[b * k + a] = sum;
    }
  });
  const root = symmetricEigenvalues(inner, k).reduce((sum, x) => sum + Math.sqrt(Math.max(0, x)), 0);
  const ownMean = meanOf(real);
  let distance = -2 * root;
  for (let i = 0; i < d; i++) distance += (ownMean[i]! - mean[i]!) ** 2 + sigma[i * d + i]!;
  for (const column of columns) for (const x of column) distance += x * x;
  return Math.max(0, distance);
}
