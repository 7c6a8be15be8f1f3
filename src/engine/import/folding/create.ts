import { type Shape, sizeOf } from "../../shape.ts";
import { type Call, wholeList } from "../call.ts";
import { allocateHost, type HostTensor, hostTensor, intList, stridesOf } from "../host.ts";
import { MAX_FOLDED } from "../limits.ts";
import { checkSize } from "./elementwise.ts";
import type { Fold, Folds } from "./fold.ts";

/** A tensor that stands in an attribute. */
function attributeTensor(c: Call, name: string): HostTensor | undefined {
  const found = c.node.attributes.get(name);
  if (found === undefined) return undefined;
  return found.kind === "tensor" ? found.value() : c.fail(`attribute ${name} must be a tensor`);
}

/** The numbers that a Constant node holds, in whichever attribute. */
export const constant: Fold = (c) => {
  const tensor = attributeTensor(c, "value");
  if (tensor !== undefined) return tensor;
  for (const [name, type] of [
    ["value_float", "float"],
    ["value_int", "int"],
    ["value_floats", "float"],
    ["value_ints", "int"],
  ] as const) {
    const found = c.node.attributes.get(name);
    if (found === undefined) continue;
    if (found.kind === "int" || found.kind === "float") return hostTensor(type, [], [found.value]);
    if (found.kind === "ints" || found.kind === "floats") return hostTensor(type, [found.value.length], found.value);
  }
  return c.fail("it holds no numbers");
};

const constantOfShape: Fold = (c) => {
  const shape = checkSize(c, wholeList(c, "the shape", c.numbers(0)!));
  const value = attributeTensor(c, "value") ?? hostTensor("float", [1], [0]);
  return { type: value.type, shape, data: allocateHost(value.type, sizeOf(shape)).fill(value.data[0] ?? 0) };
};

const range: Fold = (c) => {
  const [start, limit, delta] = [c.known(0), c.numbers(1)?.[0], c.numbers(2)?.[0]];
  const from = start.data[0];
  if (from === undefined || limit === undefined || !delta)
    return c.fail("start, limit and a step other than 0 are needed");
  const count = Math.max(Math.ceil((limit - from) / delta), 0);
  if (!(count <= MAX_FOLDED)) c.fail(`a range of ${count} numbers is more than the limit of ${MAX_FOLDED}`);
  return hostTensor(
    start.type,
    [count],
    Array.from({ length: count }, (_, i) => from + i * delta),
  );
};

/** Places of elements other than zero, a column each. */
const nonZero: Fold = (c) => {
  const { shape, data } = c.known(0);
  const strides = stridesOf(shape);
  const places = Array.from(data.keys()).filter((i) => data[i] !== 0);
  const rows = shape.flatMap((n, axis) => places.map((i) => Math.floor(i / strides[axis]!) % n));
  return hostTensor("int", [shape.length, places.length], rows);
};

const shapeOf = ({ shape }: { shape: Shape }, c: Call) =>
  intList(shape.slice(c.int("start", 0), c.node.attributes.has("end") ? c.int("end") : undefined));

/** Numbers that come from nothing but attributes and shapes. */
export const creation: Folds = {
  Constant: constant,
  ConstantOfShape: constantOfShape,
  NonZero: nonZero,
  Range: range,
  Shape: (c) => shapeOf(c.held(0), c),
  Size: (c) => hostTensor("int", [], [sizeOf(c.held(0).shape)]),
};
