import { expect, test } from "vitest";
import { memoryWork, runWithInterruptions } from "../../test/support/memory-work.ts";
import { mul, sqrt } from "../engine/ops/elementwise.ts";
import { sum } from "../engine/ops/reduce.ts";
import { compile } from "../engine/runtime.ts";
import { createStore } from "../engine/store.ts";
import { filled, tensor } from "../engine/tensor.ts";
import { DivergedError, unwatched, type Work } from "../engine/work.ts";
import { momentumSearch } from "./momentum.ts";
import { runSearch, type Search } from "./search.ts";

/** The identity loss of two batches: both stand still from their fifth iteration on, but for one that rises and falls again. */
const LOSSES = [
  [9, 8, 7, 6, 5, 5, 5, 6, 5.5, 5, 5, 5],
  [4, 3, 2, 3, 1, 1, 1, 1, 1, 1, 1, 1],
];

/** A search of one row at a time whose program counts its runs in the row. */
async function search(work: Work, patience?: number) {
  const store = createStore({ x: filled([1, 1], 0) });
  let batch = -1;
  const target: Search["target"] = {
    compile: async () => ({
      release: async () => {},
      async run() {
        const x = store.get("x").data;
        x[0]! += 1;
        const loss = tensor([LOSSES[batch]![x[0]! - 1]!], []);
        return { loss, identity: loss };
      },
    }),
  };
  const found = await runSearch({
    work,
    target,
    name: "still",
    rows: 2,
    batch: 1,
    iterations: 12,
    patience,
    store,
    start: () => ({ x: filled([1, 1], 0) }),
    results: ["x"],
    outputs: {},
    updates: {},
    feeds: (from) => {
      batch = from;
      return {};
    },
    label: () => 0,
  });
  return [...found.x!];
}

test("takes all iterations where it has no patience", async () => {
  expect(await search(memoryWork())).toEqual([12, 12]);
});

test("a batch is done when its identity loss has not fallen for as many iterations as it has patience", async () => {
  expect(await search(memoryWork(), 3)).toEqual([8, 8]);
  expect(await search(memoryWork(), 1)).toEqual([6, 4]);
});

test("a resumed search remembers since when the loss has not fallen", async () => {
  const { result } = await runWithInterruptions([7, 3], (work) => search(work, 3));
  expect(result).toEqual([8, 8]);
});

test("latents that a gradient without a number moved are noticed, though they are clamped and the loss is finite", async () => {
  const { latents, start, step } = momentumSearch(1, 2, { rate: 0.02, momentum: 0.9, clamp: 1 });
  // The root's slope at zero is infinite, and zero times that is no number.
  const { loss, updates } = step(sum(sqrt(mul(latents, 0))));
  const found = runSearch({
    work: unwatched,
    target: { compile: (options) => compile(options) },
    name: "lost",
    rows: 1,
    batch: 1,
    iterations: 3,
    store: createStore(start(new Float32Array(2), 0)),
    start: (from) => start(new Float32Array(2), from),
    results: ["latents"],
    outputs: { loss },
    updates,
    feeds: () => ({}),
    label: () => 0,
  });
  await expect(found).rejects.toThrow(new DivergedError("lost: latents", 0, Number.NaN));
});
