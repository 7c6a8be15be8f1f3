import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { atOnce } from "./at-once.ts";

const numbers = Array.from({ length: 100 }, (_, i) => i);

test("results are in the order of the items, however long each took", async () => {
  const doubled = await atOnce(numbers, async (n, index) => {
    await pause(n % 3);
    return n + index;
  });
  expect(doubled).toEqual(numbers.map((n) => 2 * n));
  expect(await atOnce([], async () => 1)).toEqual([]);
});

test("after a failure nothing is begun, and what was under way has ended", async () => {
  let [begun, ended] = [0, 0];
  const work = async (n: number) => {
    begun++;
    if (n === 3) throw new Error("three");
    await pause(5);
    ended++;
  };
  await expect(atOnce(numbers, work)).rejects.toThrow("three");
  expect(ended).toBe(begun - 1);
  expect(begun).toBeLessThan(numbers.length);
});
