import { expect, test } from "vitest";
import { differingKeys } from "./differing-keys.ts";

test("names each key that has another value or is in one file alone, from the root", () => {
  const one = "name: a\ndata: { size: 64, private: p }\nseeds: [1]\n";
  const other = "name: b\ndata: { size: 32, private: p }\nseeds: [1, 2]\ngate: { max: {} }\n";
  expect(differingKeys(one, other)).toEqual(["data.size", "seeds", "gate"]);
});

test.each(["", "- a list\n", "words\n"])("has nothing to say of what is no study: %j", (text) => {
  expect(differingKeys(text, "data: { size: 64 }\n")).toEqual([]);
});
