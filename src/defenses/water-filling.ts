/** Keeps ratios finite where a class never gets any probability. */
const LEAST = 1e-12;

/**
 * The distribution p that minimises KL(p ‖ q) subject to ‖p − f‖₁ ≤ budget, for distributions f and q of n classes: q itself where
 * it is near enough, else p_i = min(max(f_i, a·q_i), b·q_i) with a < 1 < b such that half of the budget is put on at the bottom and
 * half taken off at the top (the water filling of the Stealthy Shield Defense, ICLR 2025).
 */
export function nearestWithin(f: ArrayLike<number>, q: ArrayLike<number>, budget: number): Float64Array {
  const floored = Float64Array.from(q, (x) => Math.max(x, LEAST));
  const distance = floored.reduce((sum, x, i) => sum + Math.abs(f[i]! - x), 0);
  if (distance <= budget) return floored;
  const order = Array.from(floored.keys()).sort((i, j) => f[i]! / floored[i]! - f[j]! / floored[j]!);
  const a = level(order, f, floored, budget / 2, 1);
  const b = level(order.reverse(), f, floored, budget / 2, -1);
  return floored.map((x, i) => Math.min(Math.max(f[i]!, a * x), b * x));
}

/**
 * The ratio w to which the first classes of an order are brought, up by what is put on (1) or down by what is taken off (−1):
 * (Σf ± amount) / Σq over as many of them as stand before w in the order of their own ratios.
 */
function level(order: readonly number[], f: ArrayLike<number>, q: Float64Array, amount: number, way: 1 | -1): number {
  let [sumF, sumQ] = [0, 0];
  for (const [at, i] of order.entries()) {
    sumF += f[i]!;
    sumQ += q[i]!;
    const w = (sumF + way * amount) / sumQ;
    const next = order[at + 1];
    if (next === undefined || way * w <= (way * f[next]!) / q[next]!) return w;
  }
  return 1;
}
