import { expect, test } from "vitest";
import { numberWithInterval, rate, shareWithInterval } from "./format.ts";

test("a speed is said the way round that has the larger number", () => {
  expect(rate(0.3125)).toBe("3.2/s");
  expect(rate(0.001)).toBe("1000/s");
  expect(rate(4.1).replaceAll("\u00a0", " ")).toBe("4.1 s each");
});

test("shares are in per cent with one place, numbers to three digits, both with their interval", () => {
  const plain = (text: string) => text.replaceAll("\u00a0", " ");
  expect(plain(shareWithInterval({ value: 0.64, n: 250, low: 0.5714, high: 0.7 }))).toBe("64.0 [57.1, 70.0]");
  expect(plain(numberWithInterval({ value: 1.8372, n: 250, low: 1.62, high: 12.34 }))).toBe("1.84 [1.62, 12.3]");
});
