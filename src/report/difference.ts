import type { Measured } from "../study/result.ts";
import { fixed } from "./numbers.ts";

/** A difference with its 95 % interval. */
export interface Difference {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * second − first, with an interval from the two intervals (MOVER: Zou & Donner, Statistics in Medicine 2008; with Wilson's intervals it is
 * Newcombe's method 10, 1998): the lower end is d − √((second − its low)² + (first's high − first)²), the upper end likewise. It takes the
 * two as independent; numbers measured on the same images vary together, which makes it wider than it need be.
 */
export function differenceOf(first: Measured, second: Measured): Difference {
  const value = second.value - first.value;
  return {
    value,
    low: value - Math.hypot(second.value - second.low, first.high - first.value),
    high: value + Math.hypot(second.high - second.value, first.value - first.low),
  };
}

type Interval = Pick<Measured, "low" | "high">;

/** Whether an interval has two ends: of rates that nobody has there is none. */
export const bounded = ({ low, high }: Interval): boolean => Number.isFinite(low) && Number.isFinite(high);

/** −1 where an interval lies below zero, 1 where above, 0 where it leaves both open; an end that is no number leaves out nothing. */
export const sideOf = ({ low, high }: Interval): -1 | 0 | 1 => (high < 0 ? -1 : low > 0 ? 1 : 0);

/** Whether two intervals do not overlap. */
export function apart(first: Interval, second: Interval): boolean {
  return first.high < second.low || second.high < first.low;
}

/** `−12.0 [−20.1, −3.9]`, in points of a percentage. */
export function points({ value, low, high }: Difference): string {
  const each = (share: number) => fixed(100 * share, 1);
  return `${each(value)} [${each(low)}, ${each(high)}]`;
}

/** `12.0 points [3.9, 20.1]` of a difference that lies on one side of zero, whichever it is. */
export function magnitude({ value, low, high }: Difference): string {
  const ends = [low, high].map(Math.abs).sort((a, b) => a - b);
  const each = (share: number) => fixed(100 * share, 1);
  return `${each(Math.abs(value))} points [${ends.map(each).join(", ")}]`;
}
