import type { Measured } from "../study/result.ts";

/** Keeps a number and its unit on one line. */
const SPACE = "\u00a0";
const MISSING = "–";

/** `2.5` with the given count of decimals and a real minus sign; a dash for what is not a number. */
export function fixed(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return MISSING;
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/** A share in [0, 1] as a percentage: `71 %`. */
export function percent(share: number, decimals = 0): string {
  return Number.isFinite(share) ? `${fixed(share * 100, decimals)}${SPACE}%` : MISSING;
}

/** A share with its 95 % interval, in percent: `71 % [65, 76]`. */
export function percentWithInterval(measured: Measured, decimals = 0): string {
  return `${percent(measured.value, decimals)}${SPACE}${percentInterval(measured, decimals)}`;
}

/** The interval alone, in percent: `[65, 76]`. */
export function percentInterval({ low, high }: Measured, decimals = 0): string {
  return `[${fixed(low * 100, decimals)},${SPACE}${fixed(high * 100, decimals)}]`;
}

/** A whole number with thin spaces between thousands: `11 181 642`. */
export function count(value: number): string {
  if (!Number.isFinite(value)) return MISSING;
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** A number to three significant digits, without an exponent in the usual range. */
export function significant(value: number): string {
  if (!Number.isFinite(value)) return MISSING;
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) return value.toExponential(2);
  const decimals = size === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(size)));
  return fixed(value, decimals);
}

/** Wall time: `0.4 s`, `42 s`, `3 min 05 s`, `1 h 02 min`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return MISSING;
  if (seconds < 9.95) return `${fixed(seconds, 1)}${SPACE}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}${SPACE}s`;
  const two = (value: number) => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)}${SPACE}min${SPACE}${two(whole % 60)}${SPACE}s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)}${SPACE}h${SPACE}${two(minutes % 60)}${SPACE}min`;
}

/** Memory: `1.25 GiB`. */
export function gibibytes(bytes: number): string {
  return `${fixed(bytes / 2 ** 30, 2)}${SPACE}GiB`;
}
