import { constant, type Value } from "../graph.ts";
import { type Shape, sizeOf } from "../shape.ts";
import { type HostTensor, type HostType, toGraphTensor } from "./host.ts";
import { once } from "./once.ts";

/** What a name of the file stands for: numbers that are known, a value of the graph, or both. */
export interface Held {
  readonly shape: Shape;
  readonly type: HostType;
  /** The numbers, where they follow from the file and the shapes alone. */
  readonly known?: () => HostTensor;
  readonly value: () => Value;
  /** It depends on an input of the graph. */
  readonly fed: boolean;
  /** It depends on a weight. */
  readonly weighted: boolean;
  /** Name under which it may be a weight: a tensor of the file with several real numbers, all finite. */
  readonly weight?: string;
}

const TYPES = { float32: "float", int32: "int", bool: "bool" } as const;

/** Numbers that are known. Called by a weight's name, they are a weight where a layer uses them so. */
export function heldNumbers(tensor: HostTensor, weight?: string): Held {
  const { shape, type } = tensor;
  // A mask of infinities is none that could be trained.
  const trained = weight !== undefined && type === "float" && sizeOf(shape) > 1 && tensor.data.every(Number.isFinite);
  return {
    shape,
    type,
    known: () => tensor,
    value: once(() => constant(toGraphTensor(tensor), weight)),
    fed: false,
    weighted: false,
    ...(trained && { weight }),
  };
}

/** A value of the graph. */
export function heldValue(value: Value, { fed, weighted }: { fed: boolean; weighted: boolean }): Held {
  return { shape: value.shape, type: TYPES[value.dtype], value: () => value, fed, weighted };
}
