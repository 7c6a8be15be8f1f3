import { describe, expect, test } from "vitest";
import { expectAllClose } from "./all-close.ts";

describe("expectAllClose", () => {
  const exact = { relative: 0, absolute: 0 };

  test.each([
    ["equal numbers", [1, -2, 0], [1, -2, 0], exact],
    ["a difference within the relative part", [1.009], [1], { relative: 0.01, absolute: 0 }],
    ["a difference within the absolute part", [0.009], [0], { relative: 0, absolute: 0.01 }],
    ["nothing", [], [], exact],
  ])("accepts %s", (_what, got, wanted, tolerance) => expectAllClose(got, wanted, tolerance));

  test.each([
    [
      "a difference beyond the relative part",
      [1, 2.03],
      [1, 2],
      { relative: 0.01, absolute: 0 },
      "element 1 is 2.03, wanted 2",
    ],
    [
      "a difference beyond the absolute part",
      [0.02],
      [0],
      { relative: 9, absolute: 0.01 },
      "element 0 is 0.02, wanted 0",
    ],
    ["what is not a number", [Number.NaN], [0], { absolute: 1e9 }, "element 0 is NaN"],
    ["infinity", [Number.POSITIVE_INFINITY], [1], { absolute: 1e9 }, "element 0 is Infinity"],
    ["another length", [1, 2], [1], {}, "number of elements"],
  ])("refuses %s", (_what, got, wanted, tolerance, message) => {
    expect(() => expectAllClose(got, wanted, tolerance)).toThrow(message);
  });

  test("names the worst of several", () => {
    expect(() => expectAllClose([1.1, 3, 1.2], [1, 1, 1], exact, "weights")).toThrow(
      "weights: element 1 is 3, wanted 1",
    );
  });
});
