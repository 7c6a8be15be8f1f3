import type { Row } from "./result.ts";
import { share } from "./text.ts";

/** A goal of a row, and whether the measurement reaches it. */
export interface Verdict {
  readonly goal: string;
  readonly reached: boolean;
  /** The longest median of a step, in milliseconds, that reaches a goal of speed or of share of peak; absent for other goals. */
  readonly within?: number;
}

/** What a row was to reach. A goal whose measurement is missing (no peer on that machine) is left out. */
export function verdicts(row: Row, peakGflops: number): Verdict[] {
  const { goals, ours, flops } = row;
  const found: Verdict[] = [];
  for (const allocator of ["tuned", "default"] as const) {
    const [wanted, rival] = [goals[allocator], row[allocator]];
    if (wanted === undefined || rival === undefined) continue;
    const ratio = rival.ratio.median;
    found.push({
      goal: `${wanted}× of ${allocator} PyTorch`,
      reached: ratio >= wanted,
      within: (ours.ms.median * ratio) / wanted,
    });
  }
  if (goals.peak !== undefined && flops !== undefined)
    found.push({
      goal: `${goals.peak * 100} % of peak`,
      reached: share(flops, ours.ms.median, peakGflops) >= goals.peak,
      within: millisecondsAt(flops, goals.peak * peakGflops),
    });
  const least = leastPeak(row);
  if (least !== undefined) found.push({ goal: "PyTorch's memory", reached: ours.peakBytes <= least });
  if (goals.seconds !== undefined)
    found.push({ goal: `${goals.seconds} s`, reached: ours.ms.median <= goals.seconds * 1000 });
  return found;
}

/** The longest median that would reach every goal of speed and of share of peak; undefined where none is missed. */
export function timeToReach(row: Row, peakGflops: number): number | undefined {
  const missed = verdicts(row, peakGflops).flatMap(({ reached, within }) =>
    reached || within === undefined ? [] : [within],
  );
  return missed.length === 0 ? undefined : Math.min(...missed);
}

/** Milliseconds of `flops` operations at a rate in GFLOP/s. */
export function millisecondsAt(flops: number, gflops: number): number {
  return flops / (gflops * 1e6);
}

/** The lower of the peer's two peaks: an allocator that keeps freed memory must not be what makes us look small. */
function leastPeak(row: Row): number | undefined {
  const peaks = [row.default, row.tuned].flatMap((rival) => (rival === undefined ? [] : [rival.peakBytes]));
  return peaks.length === 0 ? undefined : Math.min(...peaks);
}
