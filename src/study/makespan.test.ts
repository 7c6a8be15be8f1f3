import { expect, test } from "vitest";
import { sideBySideSeconds } from "./makespan.ts";

const step = (id: string, seconds: number, ...needs: string[]) => ({ id, needs, cost: { seconds } });

test("one worker takes the sum of all", () => {
  expect(sideBySideSeconds([step("a", 3), step("b", 4, "a"), { id: "c", needs: ["b"] }], 1)).toBe(7);
});

test("several share the work, but for the longest chain", () => {
  const wide = [1, 2, 3, 4].map((i) => step(`${i}`, 10));
  expect(sideBySideSeconds(wide, 2)).toBe(20);
  expect(sideBySideSeconds([...wide, step("5", 20, "4"), step("6", 5, "5", "1")], 4)).toBe(35);
});

test("nothing takes no time", () => {
  expect(sideBySideSeconds([], 2)).toBe(0);
});
