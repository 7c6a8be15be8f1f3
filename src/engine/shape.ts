/** Sizes of a tensor's axes, outermost first. Always known when a graph is built. */
export type Shape = readonly number[];

/** The number of elements. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** `[2, 3]` as a person writes it. */
export function showShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

/** The shape that both shapes broadcast to by NumPy's rule, or undefined where they do not fit. */
export function broadcastShapes(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const out: number[] = [];
  for (let i = 0; i < rank; i++) {
    const m = a[a.length - rank + i] ?? 1;
    const n = b[b.length - rank + i] ?? 1;
    if (m !== n && m !== 1 && n !== 1) return undefined;
    out.push(m === 1 ? n : m);
  }
  return out;
}

/** An axis counted from the front; negative ones count from the back. */
export function normalizeAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** Output length of a convolution or pooling along one axis: ⌊(n + 2p − d(k−1) − 1) / s⌋ + 1. */
export function windowCount(n: number, kernel: number, stride: number, padding: number, dilation: number): number {
  return Math.floor((n + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
}
