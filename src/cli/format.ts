import { duration, percentInterval, significant } from "../report/numbers.ts";
import type { Measured } from "../study/result.ts";

/** A speed, whichever way round it reads better: `3.2/s`, or `4.1 s each`. */
export function rate(secondsPerUnit: number): string {
  if (secondsPerUnit > 1) return `${duration(secondsPerUnit)} each`;
  const perSecond = 1 / secondsPerUnit;
  return `${perSecond >= 100 ? Math.round(perSecond) : perSecond.toPrecision(2)}/s`;
}

/** A share with its 95 % interval, in per cent to one place: `64.0 [57.1, 70.4]`. */
export function shareWithInterval(measured: Measured): string {
  return `${(100 * measured.value).toFixed(1)} ${percentInterval(measured, 1)}`;
}

/** A measured number with its 95 % interval: `1.84 [1.62, 2.07]`. */
export function numberWithInterval({ value, low, high }: Measured): string {
  return `${significant(value)} [${significant(low)}, ${significant(high)}]`;
}
