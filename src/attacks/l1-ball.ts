/**
 * Brings each row of `rows` to the nearest point of the L1 ball around the same row of `centres`, in place; rows within it stay as they
 * are. By sorting, exact (Duchi et al., Efficient Projections onto the ℓ1-Ball for Learning in High Dimensions, ICML 2008, figure 1).
 * @param rows [n, width]
 * @param centres [n, width]
 * @param radius above 0
 */
export function projectOntoL1Balls(rows: Float32Array, centres: Float32Array, width: number, radius: number): void {
  const sizes = new Float64Array(width);
  for (let from = 0; from < rows.length; from += width) {
    let norm = 0;
    for (let j = 0; j < width; j++) {
      sizes[j] = Math.abs(rows[from + j]! - centres[from + j]!);
      norm += sizes[j]!;
    }
    // What is no number is left for the search to find.
    if (!(norm > radius)) continue;
    const shrink = threshold(sizes, radius);
    for (let j = 0; j < width; j++) {
      const centre = centres[from + j]!;
      const apart = rows[from + j]! - centre;
      rows[from + j] = centre + Math.sign(apart) * Math.max(0, Math.abs(apart) - shrink);
    }
  }
}

/** θ with Σ max(0, size − θ) = radius, for sizes whose sum is more than that; they are put in order. */
function threshold(sizes: Float64Array, radius: number): number {
  sizes.sort();
  let [sum, theta] = [0, 0];
  for (let count = 1; count <= sizes.length; count++) {
    const size = sizes[sizes.length - count]!;
    sum += size;
    const next = (sum - radius) / count;
    if (next >= size) break;
    theta = next;
  }
  return theta;
}
