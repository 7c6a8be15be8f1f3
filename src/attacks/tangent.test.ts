import { expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { constant } from "../engine/graph.ts";
import { add, square } from "../engine/ops/elementwise.ts";
import { linear } from "../engine/ops/linear.ts";
import { random } from "../engine/random.ts";
import { tensor } from "../engine/tensor.ts";
import { tangentAlignment } from "./tangent.ts";

// Columns (1, 1, 0, 0), (0, 0, 2, 0), and one that depends on them.
const A = constant(tensor([1, 0, 2, 1, 0, 2, 0, 2, 2, 0, 0, 0], [4, 3]));

test("the alignment with a linear generator's span is what one works out by hand, wherever it is taken", async () => {
  const gradients = [
    // (½, ½, 0, 0) of (1, 0, 0, 1); all of (1, 1, 5, 0); none of (1, −1, 0, 2); no gradient at all.
    [1, 0, 0, 1],
    [1, 1, 5, 0],
    [1, -1, 0, 2],
    [0, 0, 0, 0],
  ];
  const rows = random(1, "rows").normals(4 * 3);
  const found = await tangentAlignment(
    (z) => add(linear(z, A), 3),
    rows,
    Float32Array.from(gradients.flat()),
    gradients.length,
  );
  expectAllClose(Float32Array.from(found), [0.5, 1, 0, 0], { absolute: 1e-6 });
});

test("of a generator that bends, the tangent is the one at the row", async () => {
  // G(z) = (A z)²: at z its columns are those of A, each row times 2·(A z).
  const rows = Float32Array.of(1, 1, 0, 1, 0, 0);
  const gradients = Float32Array.of(0, 0, 1, 0, 0, 0, 1, 0);
  const found = await tangentAlignment((z) => square(linear(z, A)), rows, gradients, 2);
  expectAllClose(Float32Array.from(found), [1, 0], { absolute: 1e-6 });
});

test("a random direction has the root of the share of dimensions that the generator reaches", async () => {
  const [width, size, count] = [8, 200, 40];
  const weights = constant(tensor(random(2, "weights").normals(size * width), [size, width]));
  const gradients = random(3, "gradients").normals(count * size);
  const found = await tangentAlignment((z) => linear(z, weights), new Float32Array(count * width), gradients, count);
  const mean = found.reduce((sum, x) => sum + x, 0) / count;
  expect(mean).toBeCloseTo(Math.sqrt(width / size), 1);
});
