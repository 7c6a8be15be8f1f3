/** A matrix of double-precision rows: what formulas are checked against. */
export type Matrix = readonly (readonly number[])[];

/** Rows of `width` numbers each. */
export function rowsOf(data: ArrayLike<number>, width: number): number[][] {
  return Array.from({ length: data.length / width }, (_, i) =>
    Array.from({ length: width }, (_, j) => data[i * width + j]!),
  );
}

export const identity = (n: number): number[][] =>
  Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)));

export const transposed = (a: Matrix): number[][] => a[0]!.map((_, j) => a.map((row) => row[j]!));

export const times = (a: Matrix, b: Matrix): number[][] => {
  const columns = transposed(b);
  return a.map((row) => columns.map((column) => row.reduce((sum, x, k) => sum + x * column[k]!, 0)));
};

/** a + f·b */
export const plus = (a: Matrix, b: Matrix, f = 1): number[][] =>
  a.map((row, i) => row.map((x, j) => x + f * b[i]![j]!));

export const trace = (a: Matrix): number => a.reduce((sum, row, i) => sum + row[i]!, 0);

/** By Gauss–Jordan elimination with partial pivoting. */
export function inverted(a: Matrix): number[][] {
  const n = a.length;
  const rows = a.map((row, i) => [...row, ...identity(n)[i]!]);
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(rows[i]![k]!) > Math.abs(rows[pivot]![k]!)) pivot = i;
    [rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!];
    const head = rows[k]!.map((x) => x / rows[k]![k]!);
    rows[k] = head;
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const factor = rows[i]![k]!;
      rows[i] = rows[i]!.map((x, j) => x - factor * head[j]!);
    }
  }
  return rows.map((row) => row.slice(n));
}
