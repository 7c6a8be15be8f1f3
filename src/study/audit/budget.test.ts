import { expect, test } from "vitest";
import { chooseAttacks, durationText, exactDuration, parseDuration } from "./budget.ts";

const shared = { name: "prior dcgan", seconds: 400 };
const costs = [
  { attack: "gmi", parts: [shared, { name: "attack gmi", seconds: 80 }] },
  { attack: "kedmi", parts: [shared, { name: "prior kedmi", seconds: 4000 }, { name: "attack kedmi", seconds: 40 }] },
  { attack: "brep-mi", parts: [shared, { name: "attack brep-mi", seconds: 160 }] },
];

test("takes attacks in their order as long as they fit; what two share counts once", () => {
  // 1.25 · (400 + 80) = 600 and 1.25 · 160 = 200
  const { chosen, tooDear } = chooseAttacks(costs, 900, 100);
  expect(chosen).toEqual(["gmi", "brep-mi"]);
  expect(tooDear).toEqual([{ attack: "kedmi", seconds: 100 + 1.25 * 4440 }]);
  expect(chooseAttacks(costs, 899, 100).chosen).toEqual(["gmi"]);
});

test("what is too dear is told with its own price, shared parts included", () => {
  const { chosen, tooDear } = chooseAttacks(costs, 500, 0);
  expect(chosen).toEqual([]);
  expect(tooDear.map(({ seconds }) => seconds)).toEqual([600, 5550, 700]);
});

test.each([
  ["90s", 90],
  ["30m", 1800],
  ["1.5h", 5400],
  ["0m", undefined],
  ["30", undefined],
  ["soon", undefined],
])("%s is %s seconds", (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds);
});

test("what is said of a time can be asked for, and is enough", () => {
  for (const seconds of [0.2, 1, 59.5, 119, 299, 301, 4000]) {
    const said = parseDuration(durationText(seconds))!;
    expect(said).toBeGreaterThanOrEqual(seconds);
    expect(said).toBeLessThan(Math.max(seconds + 1, 1.2 * seconds));
  }
});

test.each(["1s", "1.5s", "30m", "2h"])("a budget of %s is told as it was given", (text) => {
  expect(exactDuration(parseDuration(text)!)).toBe(text);
});

test("a budget is never told as more than what it is advised to be", () => {
  // Both rounded up to whole minutes they would read the same.
  const [budget, advised] = [5.1 * 60, 5.9 * 60];
  expect(parseDuration(exactDuration(budget))).toBe(budget);
  expect(parseDuration(durationText(advised))).toBeGreaterThan(budget);
});
