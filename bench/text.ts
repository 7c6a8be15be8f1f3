import type { Row } from "./result.ts";
import type { Spread } from "./statistics.ts";

/** A row for a person who watches. */
export function rowText(row: Row, peakGflops: number): string {
  const { ours, tuned, default: installed, flops } = row;
  const parts = [row.id.padEnd(40), timeWithSpread(ours.ms)];
  if (flops !== undefined) parts.push(`${(100 * share(flops, ours.ms.median, peakGflops)).toFixed(0)} % of peak`);
  parts.push(gibibytes(ours.peakBytes));
  for (const [name, rival] of Object.entries({ default: installed, tuned }))
    if (rival !== undefined)
      parts.push(
        `${rival.ratio.median.toFixed(2)}× ${name} (${rival.layout}, ${milliseconds(rival.ms.median)}, ${gibibytes(rival.peakBytes)})`,
      );
  return parts.join("  ");
}

/** `12.3 ms (11.9 ms–13.0 ms)`. */
export function timeWithSpread({ median, low, high }: Spread): string {
  return `${milliseconds(median)} (${milliseconds(low)}–${milliseconds(high)})`;
}

/** The rate of `flops` operations in `ms` milliseconds as a share of `peakGflops`. */
export function share(flops: number, ms: number, peakGflops: number): number {
  return flops / (ms * 1e6) / peakGflops;
}

/** `0.42 ms`, `12.3 ms`, `1.42 s`. */
export function milliseconds(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return `${ms.toFixed(ms < 10 ? 2 : ms < 100 ? 1 : 0)} ms`;
}

/** `1.42 GiB`. */
export function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}
