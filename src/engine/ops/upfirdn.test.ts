import { expect, test } from "vitest";
import { expectAllClose } from "../../../test/support/all-close.ts";
import { evaluate } from "../../../test/support/evaluate.ts";
import { ShapeError } from "../errors.ts";
import { input } from "../graph.ts";
import { random } from "../random.ts";
import { type UpFirDnOptions, upFirDn2d } from "./upfirdn.ts";

/** One axis by its definition: zeros between, zeros around, convolution, every so-manieth. */
function line(x: readonly number[], taps: readonly number[], { up = 1, down = 1, padding = [0, 0] }: UpFirDnOptions) {
  const spread = x.flatMap((value) => [value, ...Array<number>(up - 1).fill(0)]);
  const [before, after] = padding;
  const at = (i: number) => (i < before ? 0 : (spread[i - before] ?? 0));
  const length = spread.length + before + after;
  const filtered = Array.from({ length: length - taps.length + 1 }, (_, i) =>
    taps.reduce((sum, tap, k) => sum + tap * at(i + taps.length - 1 - k), 0),
  );
  // What negative padding cuts off at the end is never reached, since `length` is shorter.
  return filtered.filter((_, i) => i % down === 0);
}

test.each<[string, UpFirDnOptions]>([
  ["a blur", { padding: [2, 1] }],
  ["twice the size", { up: 2, padding: [2, 1], gain: 4 }],
  ["half the size", { down: 2, padding: [1, 1] }],
  ["three halves of the size", { up: 3, down: 2, padding: [1, 2] }],
  ["a cut map", { padding: [-1, -1] }],
])("%s is what loops give, along both axes, with a filter that is not symmetric", async (_, options) => {
  const [h, w] = [6, 7];
  const taps = [0.1, 0.2, 0.3, 0.4];
  const x = random(1, "map").normals(2 * h * w);
  const got = await evaluate(upFirDn2d(input("x", [1, 2, h, w]), taps, options), { x });
  const wanted = [0, 1].flatMap((channel) => {
    const rows = Array.from({ length: h }, (_, i) => [...x.subarray((channel * h + i) * w, (channel * h + i + 1) * w)]);
    const wide = rows.map((row) => line(row, taps, options));
    const columns = wide[0]!.map((_, j) =>
      line(
        wide.map((row) => row[j]!),
        taps,
        options,
      ),
    );
    return columns[0]!.flatMap((_, i) => columns.map((column) => column[i]! * (options.gain ?? 1)));
  });
  expectAllClose(got, wanted, { relative: 1e-5, absolute: 1e-6 });
});

test("says where a kernel does not fit", () => {
  expect(() => upFirDn2d(input("x", [1, 1, 2, 2]), [1, 1, 1, 1])).toThrow(ShapeError);
  expect(() => upFirDn2d(input("x", [1, 2, 2]), [1])).toThrow(/\[N, C, H, W\] is needed/);
});
