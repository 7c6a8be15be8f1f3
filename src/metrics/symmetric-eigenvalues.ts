/**
 * The eigenvalues of a symmetric matrix, in no particular order: Householder reduction to a tridiagonal matrix, then implicit QL
 * (Golub & Van Loan, Matrix Computations, 4th ed., 8.3). About 2n³ operations; eigenvectors are not computed.
 * @param matrix n × n, row-major; it is written over
 * @throws RangeError for an array that is no square matrix or holds a number that is not finite.
 */
export function symmetricEigenvalues(matrix: Float64Array, n: number): Float64Array {
  if (matrix.length !== n * n) throw new RangeError(`expected ${n} × ${n} numbers, got ${matrix.length}`);
  const wrong = matrix.find((x) => !Number.isFinite(x));
  if (wrong !== undefined) throw new RangeError(`a matrix with the element ${wrong} has no eigenvalues`);
  const { diagonal, beside } = tridiagonal(matrix, n);
  implicitQl(diagonal, beside);
  return diagonal;
}

/** The diagonal, and the elements beside it, of the tridiagonal matrix with the same eigenvalues. */
function tridiagonal(a: Float64Array, n: number): { diagonal: Float64Array; beside: Float64Array } {
  const beside = new Float64Array(n);
  const v = new Float64Array(n);
  const w = new Float64Array(n);
  for (let k = 0; k < n - 1; k++) {
    let norm = 0;
    for (let i = k + 1; i < n; i++) {
      v[i] = a[i * n + k]!;
      norm += v[i]! * v[i]!;
    }
    norm = Math.sqrt(norm);
    const first = v[k + 1]!;
    const mirrored = first > 0 ? -norm : norm;
    beside[k] = mirrored;
    v[k + 1] = first - mirrored;
    // ‖v‖² / 2 of the Householder vector: H = I − v vᵀ / half
    const half = norm * (norm + Math.abs(first));
    if (half === 0) continue;
    // Below the diagonal lies all that is needed: each element stands for its mirror image too.
    for (let i = k + 1; i < n; i++) {
      const [row, x] = [i * n, v[i]!];
      let sum = a[row + i]! * x;
      for (let j = k + 1; j < i; j++) {
        sum += a[row + j]! * v[j]!;
        w[j]! += a[row + j]! * x;
      }
      w[i] = sum;
    }
    let vw = 0;
    for (let i = k + 1; i < n; i++) {
      w[i]! /= half;
      vw += w[i]! * v[i]!;
    }
    for (let i = k + 1; i < n; i++) w[i]! -= (vw / (2 * half)) * v[i]!;
    for (let i = k + 1; i < n; i++) {
      const [row, x, y] = [i * n, v[i]!, w[i]!];
      for (let j = k + 1; j <= i; j++) a[row + j]! -= x * w[j]! + y * v[j]!;
    }
  }
  return { diagonal: Float64Array.from({ length: n }, (_, i) => a[i * n + i]!), beside };
}

/** Turns `d` into the eigenvalues of the tridiagonal matrix with diagonal `d` and, beside it, `e` (its last element is free). */
function implicitQl(d: Float64Array, e: Float64Array): void {
  const n = d.length;
  for (let l = 0; l < n; l++) {
    for (let sweep = 0; ; sweep++) {
      let m = l;
      while (m < n - 1 && Math.abs(e[m]!) > Number.EPSILON * (Math.abs(d[m]!) + Math.abs(d[m + 1]!))) m++;
      if (m === l) break;
      if (sweep === 60) throw new RangeError("eigenvalues did not converge in 60 sweeps");
      let g = (d[l + 1]! - d[l]!) / (2 * e[l]!);
      g = d[m]! - d[l]! + e[l]! / (g + (g < 0 ? -1 : 1) * Math.hypot(g, 1));
      let [s, c, p] = [1, 1, 0];
      let i = m - 1;
      for (; i >= l; i--) {
        const [f, b] = [s * e[i]!, c * e[i]!];
        const r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1]! -= p;
          e[m] = 0;
          break;
        }
        [s, c] = [f / r, g / r];
        g = d[i + 1]! - p;
        const t = (d[i]! - g) * s + 2 * c * b;
        p = s * t;
        d[i + 1] = g + p;
        g = c * t - b;
      }
      if (i >= l) continue;
      d[l]! -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
}
