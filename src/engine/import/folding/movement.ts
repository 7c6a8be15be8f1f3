import { type Shape, sizeOf } from "../../shape.ts";
import { type Call, withAxis } from "../call.ts";
import { allocateHost, type HostTensor, numbersOf, stridesOf } from "../host.ts";
import * as layout from "../layout.ts";
import { broadcastPlaces, checkSize } from "./elementwise.ts";
import type { Fold, Folds } from "./fold.ts";

/** The same numbers in another shape. */
const intoShape =
  (target: (c: Call, from: Shape) => readonly number[]): Fold =>
  (c) => {
    const x = c.known(0);
    const shape = target(c, x.shape);
    return sizeOf(shape) === x.data.length
      ? { ...x, shape }
      : c.fail(`[${x.shape}] does not fill the shape [${shape}]`);
  };

/** A tensor whose elements are those of `x` at the places that a function gives. */
function rearranged(c: Call, x: HostTensor, shape: Shape, place: (at: number) => number): HostTensor {
  const data = allocateHost(x.type, sizeOf(checkSize(c, shape)));
  for (let i = 0; i < data.length; i++) data[i] = x.data[place(i)]!;
  return { type: x.type, shape, data };
}

/** The elements at the given places along one axis. */
function taken(c: Call, x: HostTensor, axis: number, places: readonly number[]): HostTensor {
  const shape = withAxis(x.shape, axis, places.length);
  const inner = sizeOf(x.shape.slice(axis + 1));
  const length = x.shape[axis]!;
  return rearranged(c, x, shape, (at) => {
    const outer = Math.floor(at / (inner * Math.max(places.length, 1)));
    return (outer * length + places[Math.floor(at / inner) % places.length]!) * inner + (at % inner);
  });
}

const gather: Fold = (c) => {
  const [x, indices] = [c.known(0), c.known(1)];
  const axis = c.axis(c.int("axis", 0), x.shape.length);
  const flat = taken(c, x, axis, layout.indexPlaces(c, numbersOf(indices), x.shape[axis]!));
  return { ...flat, shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)] };
};

const slice: Fold = (c) =>
  layout
    .slicePlaces(c, c.known(0).shape)
    .reduce((x: HostTensor, places, axis) => (places === undefined ? x : taken(c, x, axis, places)), c.known(0));

const split: Fold = (c) => {
  const x = c.known(0);
  const axis = c.axis(c.int("axis", 0), x.shape.length);
  let at = 0;
  return layout.splitSizes(c, x.shape[axis]!).map((size) => {
    const start = at;
    at += size;
    return taken(
      c,
      x,
      axis,
      Array.from({ length: size }, (_, i) => start + i),
    );
  });
};

const concat: Fold = (c) => {
  const parts = Array.from({ length: c.count }, (_, i) => c.known(i));
  const [first] = parts;
  if (first === undefined) return c.fail("there is nothing to put together");
  const axis = c.axis(c.int("axis", 1), first.shape.length);
  const length = parts.reduce((n, t) => n + (t.shape[axis] ?? 0), 0);
  const shape = checkSize(c, withAxis(first.shape, axis, length));
  const odd = parts.find(
    (t) => t.shape.length !== shape.length || t.shape.some((n, i) => i !== axis && n !== shape[i]),
  );
  if (odd !== undefined) c.fail(`[${odd.shape}] does not go with [${first.shape}] along axis ${axis}`);
  const data = allocateHost(first.type, sizeOf(shape));
  const outer = sizeOf(shape.slice(0, axis));
  let at = 0;
  for (let block = 0; block < outer; block++)
    for (const { data: part } of parts) {
      const width = part.length / outer;
      data.set(part.subarray(block * width, (block + 1) * width), at);
      at += width;
    }
  return { type: first.type, shape, data };
};

const transpose: Fold = (c) => {
  const x = c.known(0);
  const order = layout.orderOf(c, x.shape.length);
  const shape = order.map((axis) => x.shape[axis]!);
  const [own, strides] = [stridesOf(x.shape), stridesOf(shape)];
  return rearranged(c, x, shape, (at) =>
    order.reduce((place, axis, i) => place + (Math.floor(at / strides[i]!) % shape[i]!) * own[axis]!, 0),
  );
};

const expand: Fold = (c) => {
  const x = c.known(0);
  const shape = layout.expandTarget(c, x.shape);
  return rearranged(c, x, shape, broadcastPlaces(x.shape, shape));
};

const tile: Fold = (c) => {
  const x = c.known(0);
  return layout.repeatsOf(c, x.shape.length).reduce((t, repeats, axis) => {
    checkSize(c, withAxis(t.shape, axis, t.shape[axis]! * repeats));
    return taken(
      c,
      t,
      axis,
      Array.from({ length: t.shape[axis]! * repeats }, (_, i) => i % x.shape[axis]!),
    );
  }, x);
};

/** Elements that change places. */
export const movement: Folds = {
  Concat: concat,
  Expand: expand,
  Flatten: intoShape(layout.flattenTarget),
  Gather: gather,
  Reshape: intoShape(layout.reshapeTarget),
  Slice: slice,
  Split: split,
  Squeeze: intoShape(layout.squeezeTarget),
  Tile: tile,
  Transpose: transpose,
  Unsqueeze: intoShape(layout.unsqueezeTarget),
};
