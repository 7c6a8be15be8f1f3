import { describe, expect, test } from "vitest";
import type { Answer, Verdict } from "./claim.ts";
import { byLuck, overall } from "./overall.ts";

const answers = (verdict: Verdict, number = 1, seeds = 3): Answer[] =>
  Array.from({ length: number }, () => {
    const decision = { verdict, why: "", figures: "" };
    return { ...decision, seeds, question: { studies: [], about: "", needs: [], decide: () => decision } };
  });

describe("the verdict on a claim", () => {
  test.each([
    ["holds here", [...answers("holds here", 3), ...answers("not testable here")]],
    ["holds in part", [...answers("holds here", 3), ...answers("not shown here")]],
    ["holds in part", [...answers("holds here", 3), ...answers("does not hold here", 5)]],
    ["does not hold here", answers("does not hold here")],
    ["not shown here", answers("not shown here", 4)],
    ["not testable here", answers("not testable here")],
    ["not measured yet", answers("not measured yet")],
    ["not testable here", []],
  ])("%s", (verdict, given) => {
    expect(overall(given)).toBe(verdict);
  });

  test("is not that of the few tests that luck makes hold", () => {
    expect(overall([...answers("holds here", 2), ...answers("not shown here", 98)])).toBe("not shown here");
    expect(overall([...answers("holds here", 3), ...answers("not shown here", 97)])).toBe("holds in part");
    expect(overall([...answers("holds here", 3), ...answers("not shown here", 97)], true)).toBe("not shown here");
  });

  test("rests on tests over three seeds alone", () => {
    expect(overall([...answers("holds here", 3, 1), ...answers("not shown here")])).toBe("not shown here");
    expect(overall(answers("holds here", 3, 1))).toBe("not testable here");
  });
});

test("luck makes one test in forty hold, two where either sign is claimed; what was not decided is no test", () => {
  const given = [
    ...answers("not shown here", 20),
    ...answers("not testable here", 5),
    ...answers("not measured yet", 5),
  ];
  expect([byLuck(given), byLuck(given, true), byLuck([])]).toEqual([0.5, 1, undefined]);
});
