import { broadcastShapes, type Shape, sizeOf } from "../shape.ts";
import { type Call, wholeList, withAxis } from "./call.ts";
import { MAX_FOLDED } from "./limits.ts";

// What nodes that only move elements ask for, read from attributes and inputs: the same whether numbers or values are moved.

/**
 * The shape that a Reshape asks for. 0 means "as it comes", −1 "whatever is left". A file whose batch is fixed says it in its
 * shapes too: built for another batch, they follow.
 */
export function reshapeTarget(c: Call, from: Shape): number[] {
  const asked = wholeList(c, "the shape", c.list("shape") ?? c.numbers(1) ?? c.fail("the shape is missing"), {
    least: -1,
  });
  const zero = c.int("allowzero", 0) === 1;
  const copied = asked.map((n, i) =>
    n === 0 && !zero ? (from[i] ?? c.fail(`0 at place ${i + 1} has no axis to copy`)) : n,
  );
  const target = rebatched(c, asked, copied, from);
  const open = target.filter((n) => n === -1).length;
  if (open > 1) c.fail(`the shape [${asked}] leaves more than one axis open`);
  if (open === 0) return target;
  const known = target.reduce((n, a) => (a === -1 ? n : n * a), 1);
  return target.map((n) => (n === -1 ? sizeOf(from) / Math.max(known, 1) : n));
}

function rebatched(c: Call, asked: Shape, target: readonly number[], from: Shape): number[] {
  const { file, built } = c.batch;
  const [first] = target;
  const follows = file !== undefined && file !== built && c.held(0).fed && from[0]! % built === 0;
  if (!follows || first === undefined || asked[0]! <= 0) return [...target];
  const scaled = [(first / file) * built, ...target.slice(1)];
  if (!Number.isInteger(scaled[0])) return [...target];
  // With an axis that is left open, only a leading axis of the batch's own length is known to be the batch.
  return target.includes(-1)
    ? first === file
      ? scaled
      : [...target]
    : sizeOf(scaled) === sizeOf(from)
      ? scaled
      : [...target];
}

/** The shape of a Flatten: axes before the given one, and the rest. */
export function flattenTarget(c: Call, from: Shape): number[] {
  const axis = c.int("axis", 1);
  const at = axis < 0 ? axis + from.length : axis;
  if (at < 0 || at > from.length) c.fail(`axis ${axis} does not exist among ${from.length}`);
  return [sizeOf(from.slice(0, at)), sizeOf(from.slice(at))];
}

/** Axes as an attribute (up to opset 12) or an input. */
function axesOf(c: Call, rank: number): number[] | undefined {
  const axes = c.list("axes") ?? c.numbers(1);
  const found = axes?.map((a) => c.axis(a, rank));
  if (found !== undefined && new Set(found).size !== found.length) c.fail(`axes [${axes}] name one twice`);
  return found;
}

export function squeezeTarget(c: Call, from: Shape): number[] {
  const axes = axesOf(c, from.length) ?? from.flatMap((n, i) => (n === 1 ? [i] : []));
  const long = axes.find((a) => from[a] !== 1);
  if (long !== undefined) c.fail(`axis ${long} has length ${from[long]}, only axes of length 1 can be taken away`);
  return from.filter((_, i) => !axes.includes(i));
}

export function unsqueezeTarget(c: Call, from: Shape): number[] {
  const count = (c.list("axes") ?? c.numbers(1) ?? c.fail("axes are missing")).length;
  const rank = from.length + count;
  const axes = axesOf(c, rank)!;
  const rest = [...from];
  return Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : rest.shift()!));
}

/** Order of axes of a Transpose, the opposite one by default. */
export function orderOf(c: Call, rank: number): number[] {
  const order = c.list("perm") ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  const sorted = [...order].sort((a, b) => a - b);
  return sorted.length === rank && sorted.every((n, i) => n === i)
    ? [...order]
    : c.fail(`perm [${order}] is no order of ${rank} axes`);
}

/** Both shapes broadcast together, as Expand does. */
export function expandTarget(c: Call, from: Shape): Shape {
  const asked = wholeList(c, "the shape", c.numbers(1) ?? []);
  return broadcastShapes(from, asked) ?? c.fail(`[${from}] cannot be broadcast to [${asked}]`);
}

/** The places that a Slice takes along each axis; undefined where it takes all. */
export function slicePlaces(c: Call, from: Shape): (number[] | undefined)[] {
  const read = (name: string, input: number) => c.list(name) ?? c.numbers(input);
  const starts = read("starts", 1) ?? c.fail("starts are missing");
  const ends = read("ends", 2) ?? c.fail("ends are missing");
  const axes = (read("axes", 3) ?? starts.map((_, i) => i)).map((a) => c.axis(a, from.length));
  const steps = c.numbers(4) ?? starts.map(() => 1);
  if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length) {
    c.fail("starts, ends, axes and steps must be of one length");
  }
  const places: (number[] | undefined)[] = from.map(() => undefined);
  for (const [i, axis] of axes.entries()) places[axis] = places1(c, from[axis]!, starts[i]!, ends[i]!, steps[i]!);
  return places;
}

function places1(c: Call, length: number, start: number, end: number, step: number): number[] {
  if (!Number.isInteger(step) || step === 0) c.fail(`a step of ${step} leads nowhere`);
  if (Number.isNaN(start) || Number.isNaN(end)) c.fail("starts and ends must be numbers");
  const [least, most] = step > 0 ? [0, length] : [-1, length - 1];
  const within = (n: number) => Math.min(Math.max(n < 0 ? n + length : n, least), most);
  const [from, to] = [within(start), within(end)];
  return Array.from({ length: Math.max(Math.ceil((to - from) / step), 0) }, (_, i) => from + i * step);
}

/** Lengths of the parts of a Split along its axis. */
export function splitSizes(c: Call, length: number): readonly number[] {
  const given = c.list("split") ?? c.numbers(1);
  if (given !== undefined) {
    const sizes = wholeList(c, "split", given);
    return sizes.reduce((n, a) => n + a, 0) === length
      ? sizes
      : c.fail(`parts of [${sizes}] do not make up a length of ${length}`);
  }
  const parts = c.int("num_outputs", c.node.outputs.length);
  if (!(parts >= 1 && parts <= Math.max(length, 1)))
    c.fail(`a length of ${length} cannot be split into ${parts} parts`);
  const size = Math.ceil(length / parts);
  return Array.from({ length: parts }, (_, i) => Math.max(Math.min(size, length - i * size), 0));
}

/** How often a Tile repeats each axis. */
export function repeatsOf(c: Call, rank: number): readonly number[] {
  return wholeList(c, "repeats", c.numbers(1) ?? [], { count: rank });
}

/** Places of an axis by index, negative ones counted from its end. */
export function indexPlaces(c: Call, indices: readonly number[], length: number): number[] {
  const places = indices.map((n) => (n < 0 ? n + length : n));
  const bad = places.findIndex((n) => !Number.isInteger(n) || n < 0 || n >= length);
  return bad < 0 ? places : c.fail(`index ${indices[bad]} does not exist along an axis of length ${length}`);
}

/** A Pad's elements before and after each axis. */
export function padsOf(c: Call, rank: number): { before: number[]; after: number[] } {
  const pads = c.list("pads") ?? c.list("paddings") ?? c.numbers(1) ?? c.fail("pads are missing");
  const axes = c.numbers(3)?.map((a) => c.axis(a, rank)) ?? Array.from({ length: rank }, (_, i) => i);
  if (pads.length !== 2 * axes.length) c.fail(`pads has ${pads.length} entries, ${2 * axes.length} are needed`);
  if (pads.some((n) => !Number.isInteger(n) || Math.abs(n) > MAX_FOLDED))
    c.fail(`pads is [${pads}], whole numbers are needed`);
  const along = (offset: number) =>
    axes.reduce((list, axis, i) => withAxis(list, axis, pads[offset + i]!), Array<number>(rank).fill(0));
  return { before: along(0), after: along(axes.length) };
}
