import { describe, expect, test } from "vitest";
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

/** The distance by its definition, in double precision. */
function poincare(row: readonly number[], label: number): number {
  const total = row.reduce((sum, x) => sum + Math.abs(x), 0);
  const u = row.map((x) => x / total);
  const v = row.map((_, k) => (k === label ? 1 - 1e-4 : 0));
  const squared = (x: readonly number[]) => x.reduce((sum, y) => sum + y * y, 0);
  const apart = squared(u.map((x, k) => x - v[k]!));
  return Math.acosh(1 + (2 * apart) / ((1 - squared(u)) * (1 - squared(v))));
}

test("cross-entropy, logit, max-margin and Poincaré distance of two rows as by hand", async () => {
  const logSum = (row: readonly number[]) => Math.log(row.reduce((s, x) => s + Math.exp(x), 0));
  const byHand: Record<IdentityLossKind, number[]> = {
    "cross-entropy": [logSum([2, 1, -1]) - 2, logSum([0.5, 3, 2.5]) - 2.5],
    logit: [-2, -2.5],
    "max-margin": [1 - 2, 3 - 2.5],
    poincare: [poincare([2, 1, -1], 0), poincare([0.5, 3, 2.5], 2)],
  };
  expect(Object.keys(byHand)).toEqual(identityLossSchema.unwrap().options);
  for (const kind of identityLossSchema.unwrap().options)
    expectAllClose(await evaluate(rowsOf(kind).rows, feeds), byHand[kind], { relative: 1e-5 }, kind);
});

test("max-margin pulls at the attacked class and the strongest other one alone", async () => {
  expect(Array.from(await slope(rowsOf("max-margin")))).toEqual([-1, 1, 0, 0, 1, -1]);
});

test("logit pulls at the attacked class alone", async () => {
  expectAllClose(await slope(rowsOf("logit")), [-1, 0, 0, 0, 0, -1], { absolute: 0 });
});

describe("the Poincaré distance where its formula breaks down", () => {
  // On the rim and opposite, next to the class's own point, and nowhere.
  test.each([
    [[1, 0, 0]],
    [[-1, 0, 0]],
    [[1e30, 0, 0]],
    [[1 - 5e-5, 5e-5, 0]],
    [[1 - 1e-7, 1e-7, 0]],
    [[0, 0, 0]],
    [[0, 1, 0]],
  ])("has a finite value and slope at %j", async (row) => {
    const at = { logits: Float32Array.from([...row, ...row]), wanted: Float32Array.of(1, 0, 0, 1, 0, 0) };
    const { l, rows } = rowsOf("poincare");
    const numbers = [...(await evaluate(rows, at)), ...(await evaluate(grad(sum(rows), [l])[0]!, at))];
    expect(numbers.filter((x) => !Number.isFinite(x))).toEqual([]);
  });

  test("is as in double precision near the class's own point", async () => {
    for (const rest of [1e-2, 1e-3, 2e-4]) {
      const row = [1 - rest, rest / 2, rest / 2];
      const at = { logits: Float32Array.from([...row, ...row]), wanted: Float32Array.of(1, 0, 0, 1, 0, 0) };
      const [got] = await evaluate(rowsOf("poincare").rows, at);
      expectAllClose([got!], [poincare(row, 0)], { relative: 5e-3 }, `${rest}`);
    }
  });
});
