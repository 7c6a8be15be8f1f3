import { constant, type Value } from "../../graph.ts";
import { toFloat, where } from "../../ops/elementwise.ts";
import { broadcastTo, concat, gather, reshape, slice, transpose } from "../../ops/movement.ts";
import type { Shape } from "../../shape.ts";
import type { Call } from "../call.ts";
import { numbersOf } from "../host.ts";
import * as layout from "../layout.ts";
import { reorder, reshaped, take } from "./axes.ts";
import type { Builder, Operators } from "./operator.ts";

const intoShape =
  (target: (c: Call, from: Shape) => number[]): Builder =>
  (c) =>
    reshaped(c.value(0), target(c, c.held(0).shape));

const concatenation: Builder = (c) => {
  const parts = Array.from({ length: c.count }, (_, i) => c.value(i));
  const rank = parts[0]?.shape.length ?? c.fail("there is nothing to put together");
  const axis = c.axis(c.int("axis", 1), rank);
  const { file, built } = c.batch;
  // A token or a block of zeros that a file of a fixed batch puts beside each image's own values.
  const grown = parts.map((v, i) => {
    const other = axis !== 0 && !c.held(i).fed && v.shape[0] === file && parts.some((p) => p.shape[0] === built);
    return other && v.shape.length > 0 ? broadcastTo(v, [built, ...v.shape.slice(1)]) : v;
  });
  return concat(grown, axis);
};

const gathering: Builder = (c) => {
  const x = c.value(0);
  const axis = c.axis(c.int("axis", 0), x.shape.length);
  const indices = c.held(1);
  const [before, after] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const target = [...before, ...indices.shape, ...after];
  if (indices.known !== undefined) {
    const places = layout.indexPlaces(c, numbersOf(indices.known()), x.shape[axis]!);
    return reshaped(take(x, axis, places), target);
  }
  // Rows are looked up along the first axis, which then stands where it came from.
  const order = [axis, ...x.shape.map((_, i) => i).filter((i) => i !== axis)];
  const rows = gather(reorder(x, order), indices.value());
  const count = indices.shape.length;
  const back = [
    ...before.map((_, i) => count + i),
    ...indices.shape.map((_, i) => i),
    ...after.map((_, i) => count + before.length + i),
  ];
  return reorder(rows, back);
};

const slicing: Builder = (c) =>
  layout
    .slicePlaces(c, c.held(0).shape)
    .reduce((x: Value, places, axis) => (places === undefined ? x : take(x, axis, places)), c.value(0));

const splitting: Builder = (c) => {
  const x = c.value(0);
  const axis = c.axis(c.int("axis", 0), x.shape.length);
  let at = 0;
  return layout.splitSizes(c, x.shape[axis]!).map((size) => {
    const start = at;
    at += size;
    return slice(
      x,
      x.shape.map((_, i) => (i === axis ? start : 0)),
      x.shape.map((n, i) => (i === axis ? at : n)),
    );
  });
};

const tiling: Builder = (c) => {
  const x = c.value(0);
  const repeats = layout.repeatsOf(c, x.shape.length);
  const apart = reshape(
    x,
    x.shape.flatMap((n) => [1, n]),
  );
  const repeated = broadcastTo(
    apart,
    x.shape.flatMap((n, i) => [repeats[i]!, n]),
  );
  return reshape(
    repeated,
    x.shape.map((n, i) => n * repeats[i]!),
  );
};

/** Channels into blocks of pixels; DCR and CRD differ in which part of the channel axis is the block. */
const depthToSpace: Builder = (c) => {
  const [x, b] = [c.value(0), c.int("blocksize")];
  const [n, channels, h, w] = image(c, x);
  const depth = channels / b ** 2;
  const columns = c.text("mode", "DCR") === "CRD";
  const blocks = reshape(x, columns ? [n, depth, b, b, h, w] : [n, b, b, depth, h, w]);
  return reshape(transpose(blocks, columns ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]), [n, depth, h * b, w * b]);
};

const spaceToDepth: Builder = (c) => {
  const [x, b] = [c.value(0), c.int("blocksize")];
  const [n, channels, h, w] = image(c, x);
  const blocks = reshape(x, [n, channels, h / b, b, w / b, b]);
  return reshape(transpose(blocks, [0, 3, 5, 1, 2, 4]), [n, channels * b ** 2, h / b, w / b]);
};

function image(c: Call, x: Value): readonly [number, number, number, number] {
  if (x.shape.length !== 4) c.fail(`input 1 has shape [${x.shape}], [N, C, H, W] is needed`);
  return x.shape as [number, number, number, number];
}

/** The upper or lower triangle of matrices, zeros elsewhere. */
const triangle: Builder = (c) => {
  const x = c.value(0);
  const [rows, columns] = x.shape.slice(-2);
  if (rows === undefined || columns === undefined) c.fail(`input 1 has shape [${x.shape}], matrices are needed`);
  const k = c.numbers(1)?.[0] ?? 0;
  const upper = c.int("upper", 1) === 1;
  const kept = Uint8Array.from({ length: rows! * columns! }, (_, at) => {
    const distance = (at % columns!) - Math.floor(at / columns!);
    return Number(upper ? distance >= k : distance <= k);
  });
  return where(
    constant({ dtype: "bool", shape: [rows!, columns!], data: kept }),
    x.dtype === "float32" ? x : toFloat(x),
    0,
  );
};

/** Elements that change places, axes that come and go. */
export const movement: Operators = {
  Concat: concatenation,
  DepthToSpace: depthToSpace,
  Expand: (c) => broadcastTo(c.value(0), layout.expandTarget(c, c.held(0).shape)),
  Flatten: intoShape(layout.flattenTarget),
  Gather: gathering,
  Reshape: intoShape(layout.reshapeTarget),
  Slice: slicing,
  SpaceToDepth: spaceToDepth,
  Split: splitting,
  Squeeze: intoShape(layout.squeezeTarget),
  Tile: tiling,
  Transpose: (c) => reorder(c.value(0), layout.orderOf(c, c.held(0).shape.length)),
  Trilu: triangle,
  Unsqueeze: intoShape(layout.unsqueezeTarget),
};
