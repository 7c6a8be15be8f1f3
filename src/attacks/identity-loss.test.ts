import { expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { evaluate } from "../../test/support/evaluate.ts";
import { grad } from "../engine/autodiff.ts";
import { input, type Value } from "../engine/graph.ts";
import { sum } from "../engine/ops/reduce.ts";
import { type IdentityLossKind, identityLossRows, identityLossSchema } from "./identity-loss.ts";

const logits = Float32Array.of(2, 1, -1, 0.5, 3, 2.5);
const wanted = Float32Array.of(1, 0, 0, 0, 0, 1);
const feeds = { logits, wanted };
const rowsOf = (kind: IdentityLossKind) => {
  const l = input("logits", [2, 3]);
  return { l, rows: identityLossRows(kind, l, input("wanted", [2, 3])) };
};
const slope = ({ l, rows }: { l: Value; rows: Value }) => evaluate(grad(sum(rows), [l])[0]!, feeds);

test("cross-entropy, logit and max-margin of two rows as by hand", async () => {
  const logSum = (row: readonly number[]) => Math.log(row.reduce((s, x) => s + Math.exp(x), 0));
  const byHand: Record<IdentityLossKind, number[]> = {
    "cross-entropy": [logSum([2, 1, -1]) - 2, logSum([0.5, 3, 2.5]) - 2.5],
    logit: [-2, -2.5],
    "max-margin": [1 - 2, 3 - 2.5],
  };
  expect(Object.keys(byHand)).toEqual(identityLossSchema.unwrap().options);
  for (const kind of identityLossSchema.unwrap().options)
    expectAllClose(await evaluate(rowsOf(kind).rows, feeds), byHand[kind], { relative: 1e-6 }, kind);
});

test("max-margin pulls at the attacked class and the strongest other one alone", async () => {
  expect(Array.from(await slope(rowsOf("max-margin")))).toEqual([-1, 1, 0, 0, 1, -1]);
});

test("logit pulls at the attacked class alone", async () => {
  expectAllClose(await slope(rowsOf("logit")), [-1, 0, 0, 0, 0, -1], { absolute: 0 });
});
