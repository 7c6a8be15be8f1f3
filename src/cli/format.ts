import type { Measured } from "../study/result.ts";

/** A span of time as people say it: `0.4 s`, `12 s`, `1 min 05 s`, `2 h 03 min`. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${padded(whole % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${padded(minutes % 60)} min`;
}

/** A speed, whichever way round it reads better: `3.2/s`, or `4.1 s each`. */
export function rate(secondsPerUnit: number): string {
  if (secondsPerUnit > 1) return `${duration(secondsPerUnit)} each`;
  const perSecond = 1 / secondsPerUnit;
  return `${perSecond >= 100 ? Math.round(perSecond) : perSecond.toPrecision(2)}/s`;
}

/** Three significant digits without an exponent where the number is of everyday size. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value) || value === 0) return String(value);
  return size >= 0.001 && size < 100_000 ? String(Number(value.toPrecision(3))) : value.toExponential(1);
}

/** A rate with its 95 % interval, in per cent: `64.0 % [57.1–70.4]`. */
export function percent({ value, low, high }: Measured): string {
  const hundred = (part: number) => (100 * part).toFixed(1);
  return `${hundred(value)} % [${hundred(low)}–${hundred(high)}]`;
}

/** A measured number with its 95 % interval: `1.84 [1.62–2.07]`. */
export function measured({ value, low, high }: Measured): string {
  return `${short(value)} [${short(low)}–${short(high)}]`;
}

function padded(count: number): string {
  return String(count).padStart(2, "0");
}
