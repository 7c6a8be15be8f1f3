import { expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { unionOf } from "./union.ts";

const none = { kind: "none", summary: "nothing", config: z.object({}) } as const;
const tlDmi = {
  kind: "tl-dmi",
  summary: "transfer learning",
  config: z.object({ freeze: z.string(), epochs: z.int().default(12) }),
} as const;
const Defense = unionOf([none, tlDmi]);

test("a bare word stands for its kind, an object for its kind and keys, with defaults filled in", () => {
  expect(z.array(Defense).parse(["none", { kind: "tl-dmi", freeze: "layer2" }])).toEqual([
    { kind: "none" },
    { kind: "tl-dmi", freeze: "layer2", epochs: 12 },
  ]);
});

test("keys of another member are refused", () => {
  expect(Defense.safeParse({ kind: "none", freeze: "layer2" }).error?.issues[0]?.code).toBe("unrecognized_keys");
});

test("a bare word of a member that needs keys says which are missing", () => {
  expect(Defense.safeParse("tl-dmi").error?.issues[0]?.path).toEqual(["freeze"]);
});

test("an unknown kind is refused, even one that every object has", () => {
  expect(Defense.safeParse("toString").success).toBe(false);
});

test("a list with the same kind twice, or with nothing in it, is a mistake of the programmer", () => {
  expect(() => unionOf([none, none])).toThrow("none");
  expect(() => unionOf([])).toThrow("at least one member");
});

test("the output type is the union of the members' types", () => {
  const parsed: z.output<typeof Defense> = Defense.parse("none");
  expectTypeOf(parsed.kind).toEqualTypeOf<"none" | "tl-dmi">();
  if (parsed.kind === "tl-dmi") expectTypeOf(parsed.epochs).toEqualTypeOf<number>();
});

test("a member whose config has a refinement keeps it", () => {
  const bounded = { kind: "b", config: z.object({ n: z.number(), m: z.number() }).refine((c) => c.n < c.m, "n < m") };
  expect(unionOf([bounded]).safeParse({ kind: "b", n: 2, m: 1 }).success).toBe(false);
});
