import { grad } from "../engine/autodiff.ts";
import { constant, input, type Value } from "../engine/graph.ts";
import { oneHot } from "../engine/ops/movement.ts";
import { sum } from "../engine/ops/reduce.ts";
import { random } from "../engine/random.ts";
import { indexTensor } from "../engine/tensor.ts";
import type { Work } from "../engine/work.ts";
import type { WhiteBox } from "./access.ts";
import { type Align, alignedRows } from "./align.ts";
import { tangentAlignment } from "./tangent.ts";

/**
 * Logs how far the identity loss's gradient, with respect to images, points along what the generator can draw: the mean over the first
 * `measured` reconstructions, of the averaged gradient (`aligned`) and of the image's own (`plain`). Does nothing where nothing is to be
 * measured. Its images count as queries.
 */
export async function logAlignment(options: {
  readonly work: Work;
  readonly target: WhiteBox;
  /** The attack. */
  readonly name: string;
  readonly align: Align | undefined;
  /** Rows of the search space [n, width], and their classes as one-hot rows, to images. */
  draw(rows: Value, wanted: Value): Value;
  /** As for `alignedRows`. */
  rowsOf(images: Value, wanted: Value, copies: number): Value;
  readonly labels: Int32Array;
  /** Rows of the search space after so many iterations, all of them. */
  readonly points: readonly { readonly iteration: number; readonly rows: Float32Array }[];
  readonly seed: number;
}): Promise<void> {
  const { work, target, name, align, draw, rowsOf, labels, points, seed } = options;
  const count = Math.min(align?.measured ?? 0, labels.length);
  if (count === 0) return;
  const width = points[0]!.rows.length / labels.length;
  const wanted = oneHot(constant(indexTensor(labels.slice(0, count), [count]), "classes"), target.classes);
  const images = draw(input("rows", [count, width]), wanted);
  const averaged = alignedRows(align, images, wanted, rowsOf);
  const slope = (losses: Value) => grad(sum(losses), [images])[0]!;
  const program = await target.compile({
    outputs: { plain: slope(rowsOf(images, wanted, 1)), aligned: slope(averaged.rows) },
  });
  for (const { iteration, rows: all } of points) {
    work.signal.throwIfAborted();
    const rows = all.slice(0, count * width);
    const copies = averaged.draw(random(seed, name, "alignment", iteration));
    const { plain, aligned } = await program.run({ rows, ...copies }, count);
    const share = async (gradients: Float32Array) => {
      const found = await tangentAlignment((z) => draw(z, wanted), rows, gradients, count);
      return found.reduce((total, x) => total + x, 0) / count;
    };
    await work.log({
      attack: `${name}, alignment`,
      iteration,
      aligned: await share(aligned!.data as Float32Array),
      plain: await share(plain!.data as Float32Array),
    });
  }
  await program.release();
}
