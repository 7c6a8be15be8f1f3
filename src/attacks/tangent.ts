import { grad } from "../engine/autodiff.ts";
import { input, type Value } from "../engine/graph.ts";
import { mul } from "../engine/ops/elementwise.ts";
import { sum } from "../engine/ops/reduce.ts";
import { compile } from "../engine/runtime.ts";
import { sizeOf } from "../engine/shape.ts";

/** A column that keeps less than this share of its length beside the others depends on them, up to float32. */
const DEPENDENT = 1e-4;

/**
 * How far each gradient points along what a generator can draw: the cosine between it and its projection onto the span of the columns
 * of ∂G/∂z at its row, which is the projection's share of its length, from 0 (orthogonal) to 1 (tangent). A random direction of D
 * dimensions has about √(d/D) for d columns.
 * @param draw rows [n, d] to images [n, …], row by row
 * @param rows where, [n · d]
 * @param gradients with respect to images, [n · D]; rows of zeros have an alignment of 0
 */
export async function tangentAlignment(
  draw: (rows: Value) => Value,
  rows: Float32Array,
  gradients: Float32Array,
  count: number,
): Promise<Float64Array> {
  const [width, size] = [rows.length / count, gradients.length / count];
  const z = input("rows", [count, width]);
  const direction = input("direction", [count, width]);
  const images = draw(z);
  const dual = input("dual", images.shape);
  // ∂G/∂z · v is the gradient, for u, of ⟨(∂G/∂z)ᵀ · u, v⟩, which is linear in u.
  const [pulled] = grad(sum(mul(images, dual)), [z]);
  const [pushed] = grad(sum(mul(pulled!, direction)), [dual]);
  const program = await compile({ outputs: { pushed: pushed! } });
  const bases = Array.from({ length: count }, (): Float64Array[] => []);
  const anywhere = new Float32Array(sizeOf(images.shape));
  for (let j = 0; j < width; j++) {
    const along = new Float32Array(count * width);
    for (let i = 0; i < count; i++) along[i * width + j] = 1;
    const { pushed: columns } = await program.run({ rows, direction: along, dual: anywhere });
    for (const [i, basis] of bases.entries()) extend(basis, columns!.data.subarray(i * size, (i + 1) * size));
  }
  await program.release();
  return Float64Array.from(bases, (basis, i) => {
    const g = gradients.subarray(i * size, (i + 1) * size);
    const length = norm(g);
    return length === 0 ? 0 : norm(basis.map((axis) => dot(axis, g))) / length;
  });
}

/** Adds to an orthonormal basis what a column has beside it, if anything. Gram and Schmidt, twice, since once leaves rounding errors. */
function extend(basis: Float64Array[], column: ArrayLike<number>): void {
  const rest = Float64Array.from(column);
  const before = norm(rest);
  for (let pass = 0; pass < 2; pass++)
    for (const axis of basis) {
      const share = dot(axis, rest);
      for (const [k, x] of axis.entries()) rest[k]! -= share * x;
    }
  const length = norm(rest);
  if (length > DEPENDENT * before) basis.push(rest.map((x) => x / length));
}

function dot(a: Float64Array, b: ArrayLike<number>): number {
  let total = 0;
  for (let k = 0; k < a.length; k++) total += a[k]! * b[k]!;
  return total;
}

function norm(a: ArrayLike<number>): number {
  let total = 0;
  for (let k = 0; k < a.length; k++) total += a[k]! ** 2;
  return Math.sqrt(total);
}
