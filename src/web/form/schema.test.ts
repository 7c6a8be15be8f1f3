import { expect, test } from "vitest";
import { chosen, firstValue, kindsOf, partsOf, resolved, type Schema, withKey } from "./schema.ts";

const root: Schema = {
  $defs: { part: { oneOf: [{ properties: { kind: { const: "a" }, n: { type: "integer" } }, required: ["kind"] }] } },
};
const choice: Schema = {
  anyOf: [
    { enum: ["plain"] },
    {
      oneOf: [
        { properties: { kind: { const: "plain" } }, required: ["kind"] },
        { properties: { kind: { const: "full" }, file: { type: "string" } }, required: ["kind", "file"] },
      ],
    },
  ],
};

test("a choice is a bare word where its kind has no key set and may stand alone, else a mapping", () => {
  const kinds = kindsOf(choice)!;
  expect([...kinds.kinds.keys()]).toEqual(["plain", "full"]);
  expect(chosen("plain", {}, kinds)).toBe("plain");
  expect(chosen("plain", { n: 1 }, kinds)).toEqual({ kind: "plain", n: 1 });
  expect(chosen("full", {}, kinds)).toEqual({ kind: "full" });
  expect(partsOf("plain")).toEqual({ kind: "plain", keys: {} });
  expect(partsOf({ kind: "full", file: "x" })).toEqual({ kind: "full", keys: { file: "x" } });
  expect(partsOf(undefined)).toEqual({ kind: "", keys: {} });
});

test("references are followed, and a new entry has what must be in it", () => {
  expect(kindsOf(resolved({ $ref: "#/$defs/part" }, root))?.kinds.has("a")).toBe(true);
  expect(firstValue(choice, root)).toBe("plain");
  const nested: Schema = {
    type: "object",
    properties: { model: choice, note: { type: "string" } },
    required: ["model"],
  };
  expect(firstValue(nested, root)).toEqual({ model: "plain" });
});

test("a key is set in its place, added at the end, and left out where it has no value", () => {
  expect(Object.entries(withKey({ a: 1, b: 2 }, "a", 3))).toEqual([
    ["a", 3],
    ["b", 2],
  ]);
  expect(withKey({ a: 1 }, "b", 2)).toEqual({ a: 1, b: 2 });
  expect(withKey({ a: 1, b: 2 }, "a", undefined)).toEqual({ b: 2 });
});
