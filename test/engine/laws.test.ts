import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { constant } from "../../src/engine/graph.ts";
import { add, mul } from "../../src/engine/ops/elementwise.ts";
import { broadcastTo, concat, flip, pad, reshape, slice, transpose, unslice } from "../../src/engine/ops/movement.ts";
import { sum } from "../../src/engine/ops/reduce.ts";
import { random } from "../../src/engine/random.ts";
import { broadcastShapes, type Shape, sizeOf } from "../../src/engine/shape.ts";
import { tensor } from "../../src/engine/tensor.ts";
import { evaluate } from "../support/evaluate.ts";

// A session a run: few runs are enough, since each shape comes with numbers of its own.
const RUNS = { numRuns: 25, seed: 1 };

const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
const drawn = (name: string, shape: Shape) => tensor(random(5, name).normals(sizeOf(shape)), shape);

/** Two shapes that broadcast: the same axes, each shortened to 1 on either side, one perhaps with fewer leading axes. */
const broadcastPair = shapes.chain((shape) => {
  const shortened = fc
    .array(fc.boolean(), { minLength: shape.length, maxLength: shape.length })
    .chain((ones) => fc.nat(shape.length).map((drop) => shape.map((n, i) => (ones[i] ? 1 : n)).slice(drop)));
  return fc.tuple(shortened, shortened);
});

describe("broadcasting", () => {
  test("is symmetric, idempotent, and gives each axis the longer length", () => {
    fc.assert(
      fc.property(broadcastPair, ([a, b]) => {
        const both = broadcastShapes(a, b)!;
        expect(broadcastShapes(b, a)).toEqual(both);
        expect(broadcastShapes(both, a)).toEqual(both);
        expect(both).toHaveLength(Math.max(a.length, b.length));
      }),
      RUNS,
    );
  });

  test("refuses two lengths that differ and are not 1", () => {
    fc.assert(
      fc.property(shapes, fc.integer({ min: 2, max: 9 }), fc.integer({ min: 2, max: 9 }), (tail, m, n) => {
        fc.pre(m !== n);
        expect(broadcastShapes([m, ...tail], [n, ...tail])).toBeUndefined();
      }),
      RUNS,
    );
  });

  test("of both operands first changes nothing", async () => {
    await fc.assert(
      fc.asyncProperty(broadcastPair, async ([a, b]) => {
        const [x, y] = [constant(drawn("a", a)), constant(drawn("b", b))];
        const both = broadcastShapes(a, b)!;
        const wanted = await evaluate(mul(broadcastTo(x, both), broadcastTo(y, both)));
        expect(await evaluate(mul(x, y))).toEqual(wanted);
      }),
      RUNS,
    );
  });
});

const ranges = fc
  .array(
    fc.integer({ min: 1, max: 6 }).chain((n) =>
      fc.record({
        n: fc.constant(n),
        start: fc.nat(n - 1),
        end: fc.constant(n),
        step: fc.integer({ min: 1, max: 4 }),
      }),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((axes) => ({
    shape: axes.map((a) => a.n),
    range: { starts: axes.map((a) => a.start), ends: axes.map((a) => a.end), steps: axes.map((a) => a.step) },
  }));

test("unslice is the transpose of slice: ⟨slice x, g⟩ = ⟨x, unslice g⟩", async () => {
  await fc.assert(
    fc.asyncProperty(ranges, async ({ shape, range }) => {
      const x = constant(drawn("x", shape));
      const part = slice(x, range.starts, range.ends, range.steps);
      const g = constant(drawn("g", part.shape));
      const [there] = await evaluate(sum(mul(part, g)));
      const [back] = await evaluate(sum(mul(x, unslice(g, shape, range))));
      expect(back).toBeCloseTo(there!, 4);
    }),
    RUNS,
  );
});

describe("movements undo each other", () => {
  const same = (f: (shape: Shape) => ReturnType<typeof constant>) =>
    fc.assert(
      fc.asyncProperty(shapes, async (shape) => {
        const y = f(shape);
        expect(y.shape).toEqual(shape);
        expect(await evaluate(y)).toEqual(drawn("x", shape).data);
      }),
      RUNS,
    );
  const x = (shape: Shape) => constant(drawn("x", shape));
  const axes = (shape: Shape) => shape.map((_, i) => i);

  test("flip twice", () => same((shape) => flip(flip(x(shape), axes(shape)), axes(shape))));

  test("reshape there and back", () => same((shape) => reshape(reshape(x(shape), [-1]), shape)));

  test("transpose by an order and by its inverse", () =>
    same((shape) => {
      const order = [...random(shape.length, "order").permutation(shape.length)];
      return transpose(
        transpose(x(shape), order),
        order.map((_, i) => order.indexOf(i)),
      );
    }));

  test("pad, then slice", () =>
    same((shape) => {
      const [before, after] = [shape.map((_, i) => i), shape.map((_, i) => (i + 1) % 3)];
      return slice(
        pad(x(shape), before, after, 7),
        before,
        shape.map((n, i) => n + before[i]!),
      );
    }));

  test("slices concatenated", () =>
    same((shape) => {
      const last = shape.length - 1;
      const cut = Math.floor(shape[last]! / 2);
      const from = (start: number, end: number) =>
        slice(
          x(shape),
          shape.map((_, i) => (i === last ? start : 0)),
          shape.map((n, i) => (i === last ? end : n)),
        );
      return cut === 0 ? add(x(shape), 0) : concat([from(0, cut), from(cut, shape[last]!)], -1);
    }));
});
