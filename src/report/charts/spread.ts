/**
 * Places for names beside points: each as near its value as those around it allow, `gap` from the next at least, within low … high where
 * they fit. In the order of `values`.
 */
export function spread(values: readonly number[], gap: number, [low, high]: readonly [number, number]): number[] {
  const order = values.map((value, i) => ({ value, i })).sort((a, b) => a.value - b.value || a.i - b.i);
  // Names that touch form a block around the mean of their values; blocks that then touch become one.
  const blocks: { middle: number; size: number }[] = [];
  const half = (size: number) => ((size - 1) * gap) / 2;
  const within = (middle: number, size: number) => Math.max(low + half(size), Math.min(high - half(size), middle));
  for (const { value } of order) {
    let block = { sum: value, middle: within(value, 1), size: 1 };
    for (let last = blocks.at(-1); last !== undefined; last = blocks.at(-1)) {
      if (last.middle + half(last.size) + gap <= block.middle - half(block.size)) break;
      blocks.pop();
      const size = last.size + block.size;
      const sum = last.middle * last.size + block.sum;
      block = { sum, middle: within(sum / size, size), size };
    }
    blocks.push(block);
  }
  const places = new Array<number>(values.length);
  let at = 0;
  for (const { middle, size } of blocks) {
    for (let k = 0; k < size; k++) places[order[at++]!.i] = middle - half(size) + k * gap;
  }
  return places;
}
