import { expect, test } from "vitest";
import { remembered } from "./remembered.ts";

const asking = () => {
  let made = 0;
  const ask = (what: string, of: string) => remembered(what, of, async () => Float32Array.of(++made));
  return { ask, made: () => made };
};

test("the last result of a kind is made once", async () => {
  const { ask, made } = asking();
  const first = await ask("features", "one");
  expect(await ask("features", "one")).toBe(first);
  await ask("logits", "one");
  expect(made()).toBe(2);
  await ask("features", "another");
  await ask("features", "one");
  expect(made()).toBe(4);
});

test("a failure is not remembered, nor what is too large to be held", async () => {
  const failing = () => remembered("failing", "one", async () => Promise.reject(new Error("no")));
  await expect(failing()).rejects.toThrow("no");
  expect([...(await remembered("failing", "one", async () => Float32Array.of(1)))]).toEqual([1]);
  const large = () => remembered("large", "one", async () => new Float32Array(2 ** 24 + 1));
  // By the operator: a matcher would compare millions of numbers for its message.
  const [one, other] = [await large(), await large()];
  expect(one === other).toBe(false);
});
