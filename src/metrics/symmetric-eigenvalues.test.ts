import fc from "fast-check";
import { expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { identity, plus, times, transposed } from "../../test/support/matrix.ts";
import { random } from "../engine/random.ts";
import { symmetricEigenvalues } from "./symmetric-eigenvalues.ts";

const eigenvalues = (a: number[][]) => symmetricEigenvalues(Float64Array.from(a.flat()), a.length).sort();

test("of matrices whose eigenvalues are known", () => {
  expectAllClose(eigenvalues([[7]]), [7]);
  expectAllClose(eigenvalues([]), []);
  expectAllClose(
    eigenvalues([
      [2, 1],
      [1, 2],
    ]),
    [1, 3],
  );
  // The second difference of n places has 2 − 2 cos(kπ/(n + 1)).
  const n = 9;
  const difference = identity(n).map((row, i) => row.map((_, j) => (i === j ? 2 : Math.abs(i - j) === 1 ? -1 : 0)));
  const known = Array.from({ length: n }, (_, k) => 2 - 2 * Math.cos(((k + 1) * Math.PI) / (n + 1)));
  expectAllClose(eigenvalues(difference), known, { relative: 1e-12, absolute: 1e-12 });
  expectAllClose(eigenvalues([2, 0, 0, 5].map((x, i) => [0, 1, 2, 3].map((j) => (i === j ? x : 0)))), [0, 0, 2, 5]);
});

test("of reflected diagonal matrices, repeated and zero eigenvalues among them", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 12 }),
      fc.nat(),
      (wanted, seed) => {
        const n = wanted.length;
        let a = identity(n).map((row, i) => row.map((x) => x * wanted[i]!));
        for (let turn = 0; turn < 3; turn++) {
          const v = [...random(seed, turn).normals(n)];
          const norm = v.reduce((sum, x) => sum + x * x, 0);
          const mirror = plus(
            identity(n),
            v.map((x) => v.map((y) => x * y)),
            -2 / norm,
          );
          a = times(times(mirror, a), transposed(mirror));
        }
        expectAllClose(
          eigenvalues(a),
          wanted.toSorted((x, y) => x - y),
          { relative: 1e-9, absolute: 1e-9 },
        );
      },
    ),
    { numRuns: 50 },
  );
});

test("what is no square matrix of numbers is refused", () => {
  expect(() => symmetricEigenvalues(new Float64Array(3), 2)).toThrow("expected 2 × 2 numbers, got 3");
  expect(() => symmetricEigenvalues(Float64Array.of(Number.NaN), 1)).toThrow("NaN");
});
