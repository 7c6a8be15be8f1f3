import { describe, expect, test } from "vitest";
import { input, parameter } from "./graph.ts";
import { add, mul } from "./ops/elementwise.ts";
import { compile } from "./runtime.ts";
import { createStore } from "./store.ts";
import { filled, tensor } from "./tensor.ts";

describe("a store", () => {
  test("holds copies: changing what was given changes nothing", () => {
    const given = tensor([1, 2], [2]);
    const store = createStore({ w: given });
    given.data[0] = 9;
    expect([...store.get("w").data]).toEqual([1, 2]);
  });

  test("snapshots are copies that later steps leave alone", () => {
    const store = createStore({ w: tensor([1], [1]), b: tensor([2], [1]) });
    const kept = store.snapshot(["w"]);
    store.load({ w: tensor([5], [1]) });
    expect(Object.keys(kept)).toEqual(["w"]);
    expect(kept.w!.data[0]).toBe(1);
    expect(store.snapshot().w!.data[0]).toBe(5);
  });

  test("names the tensor that it lacks, has already, or holds in another shape", () => {
    const store = createStore({ w: filled([2, 3], 0) });
    expect(() => store.get("v")).toThrow("no tensor named v in the store");
    expect(() => store.snapshot(["v"])).toThrow("no tensor named v");
    expect(() => store.load({ v: filled([1], 0) })).toThrow("no tensor named v");
    expect(() => store.add({ w: filled([1], 0) })).toThrow("a tensor named w is already in the store");
    expect(() => store.load({ w: filled([3, 2], 0) })).toThrow("w has shape [3, 2], the store holds [2, 3]");
  });
});

describe("double buffering", () => {
  test("a step reads one buffer, writes the other, and allocates none", async () => {
    const w = parameter("w", [2]);
    const store = createStore({ w: tensor([1, 2], [2]) });
    const buffers = [store.get("w").data, store.back("w").data];
    const program = await compile({ outputs: {}, updates: { w: mul(w, 2) }, store });
    for (let step = 1; step <= 4; step++) {
      await program.run({});
      expect(store.get("w").data).toBe(buffers[step % 2]);
      expect([...store.get("w").data]).toEqual([2 ** step, 2 * 2 ** step]);
    }
    await program.release();
  });

  test("all updates of a step see the values from before it", async () => {
    const [a, b] = [parameter("a", []), parameter("b", [])];
    const store = createStore({ a: tensor([1], []), b: tensor([10], []) });
    const program = await compile({ outputs: { a, b }, updates: { a: b, b: a }, store });
    const seen = await program.run({});
    expect([seen.a!.data[0], seen.b!.data[0]]).toEqual([1, 10]);
    expect([store.get("a").data[0], store.get("b").data[0]]).toEqual([10, 1]);
    await program.release();
  });

  test("programs of one store take turns on the same weights", async () => {
    const w = parameter("w", []);
    const store = createStore({ w: tensor([1], []) });
    const [up, read] = await Promise.all([
      compile({ outputs: {}, updates: { w: add(w, input("by", [])) }, store }),
      compile({ outputs: { w: mul(w, 1) }, store }),
    ]);
    for (const by of [1, 2, 3]) await up.run({ by: Float32Array.of(by) });
    expect((await read.run({})).w!.data[0]).toBe(7);
    await Promise.all([up.release(), read.release()]);
  });

  test("a load between steps is what the next step reads", async () => {
    const w = parameter("w", []);
    const store = createStore({ w: tensor([1], []) });
    const program = await compile({ outputs: {}, updates: { w: add(w, 1) }, store });
    await program.run({});
    store.load({ w: tensor([40], []) });
    await program.run({});
    expect(store.get("w").data[0]).toBe(41);
    await program.release();
  });
});
