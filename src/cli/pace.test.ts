import { expect, test } from "vitest";
import { newPace } from "./pace.ts";

test("there is no pace before there is a span, and then its median", () => {
  const pace = newPace();
  pace.add(0, 0);
  expect(pace.secondsPerUnit()).toBeUndefined();
  pace.add(2, 1);
  expect(pace.secondsPerUnit()).toBe(2);
  pace.add(6, 2);
  expect(pace.secondsPerUnit()).toBe(3);
  pace.add(8, 3);
  expect(pace.secondsPerUnit()).toBe(2);
});

test("one long pause does not change it, and old spans are forgotten", () => {
  const pace = newPace(3);
  for (const [at, done] of [
    [0, 0],
    [1, 1],
    [2, 2],
    [60, 3],
  ] as const)
    pace.add(at, done);
  expect(pace.secondsPerUnit()).toBe(1);
  for (const [at, done] of [
    [64, 4],
    [68, 5],
    [72, 6],
  ] as const)
    pace.add(at, done);
  expect(pace.secondsPerUnit()).toBe(4);
});

test("steps shorter than a span are taken together", () => {
  const pace = newPace(21, 0.25);
  for (let done = 0; done <= 100; done++) pace.add(done / 64, done);
  expect(pace.secondsPerUnit()).toBe(1 / 64);
});

test("a resumed step counts from where it goes on, a count that falls starts anew", () => {
  const pace = newPace();
  pace.add(0, 500);
  pace.add(1, 501);
  expect(pace.secondsPerUnit()).toBe(1);
  pace.add(2, 0);
  expect(pace.secondsPerUnit()).toBeUndefined();
});
