import { ShapeError } from "./errors.ts";
import type { Lowering } from "./lowering.ts";
import { type Shape, showShape } from "./shape.ts";
import type { Dtype, Tensor } from "./tensor.ts";

/** Where a value comes from that no op computes: fed at each run, held in a store by name, or fixed. */
export type Leaf =
  | { readonly kind: "input"; readonly name: string }
  | { readonly kind: "parameter"; readonly name: string }
  | { readonly kind: "constant"; readonly name: string; readonly tensor: Tensor };

/** A symbolic tensor: what an op gives for its inputs. Immutable; a graph is what its outputs reach. */
export interface Value {
  readonly op: string;
  readonly inputs: readonly Value[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly shape: Shape;
  readonly dtype: Dtype;
  /** The part of the model that it belongs to, such as `layer3.0.conv1`: that of the weight it uses, else of its first input. */
  readonly path: string;
  readonly leaf?: Leaf;
  /** Gradients for the inputs, given the gradient for this value; absent where the op has none (comparisons, `stopGradient`). */
  readonly pullback?: (g: Value) => readonly (Value | null)[];
  /** Writes this value's ONNX nodes and returns the name of the result. */
  readonly lower?: (lowering: Lowering, inputs: readonly string[]) => string;
}

/** An op: shape rule, gradient rule and lowering side by side. Gradient rules may only call ops, so any order of derivative works. */
export interface OpDefinition<A extends object> {
  /** @throws ShapeError through `fail`. */
  shape(inputs: readonly Value[], attributes: A, fail: (rule: string) => never): Shape;
  /** Element type of the result; that of the first input where absent. */
  readonly dtype?: Dtype;
  grad?(g: Value, y: Value, attributes: A): readonly (Value | null)[];
  lower(lowering: Lowering, inputs: readonly string[], y: Value, attributes: A): string;
}

/** An op as a function of its input values and attributes. */
export type Op<A extends object> = (inputs: readonly Value[], attributes: A) => Value;

/** Makes an op's function: it takes the input values and the attributes, checks shapes, and gives the new value. */
export function defineOp<A extends object = Record<never, never>>(name: string, definition: OpDefinition<A>): Op<A> {
  return (inputs, attributes) => {
    const path = (inputs.find((v) => v.leaf !== undefined && v.path !== "") ?? inputs[0])?.path ?? "";
    const fail = (rule: string): never => {
      const where = path === "" ? "" : ` at ${path}`;
      throw new ShapeError(`${name}${where}: ${rule}, got ${inputs.map((v) => showShape(v.shape)).join(" and ")}`);
    };
    const shape = definition.shape(inputs, attributes, fail);
    const dtype = definition.dtype ?? inputs[0]?.dtype ?? "float32";
    const { grad } = definition;
    const y: Value = {
      op: name,
      inputs,
      attributes: { ...attributes } as Readonly<Record<string, unknown>>,
      shape,
      dtype,
      path,
      ...(grad && { pullback: (g: Value) => grad(g, y, attributes) }),
      lower: (lowering, names) => definition.lower(lowering, names, y, attributes),
    };
    return y;
  };
}

function leaf(kind: Leaf, shape: Shape, dtype: Dtype): Value {
  const path = kind.kind === "input" ? "" : kind.name.split(".").slice(0, -1).join(".");
  return { op: kind.kind, inputs: [], attributes: {}, shape, dtype, path, leaf: kind };
}

/** A value that is fed at each run under `name`. */
export function input(name: string, shape: Shape, dtype: Dtype = "float32"): Value {
  return leaf({ kind: "input", name }, shape, dtype);
}

/** A value that a store holds under `name`: a weight, a running statistic, an optimiser's slot. */
export function parameter(name: string, shape: Shape): Value {
  return leaf({ kind: "parameter", name }, shape, "float32");
}

/** A fixed tensor. Named after the weight it is, so that profiles and errors speak the model's names. */
export function constant(tensor: Tensor, name = ""): Value {
  return leaf({ kind: "constant", name, tensor }, tensor.shape, tensor.dtype);
}

/** The fixed tensor behind a value, if it is one. */
export function constantTensor(v: Value): Tensor | undefined {
  return v.leaf?.kind === "constant" ? v.leaf.tensor : undefined;
}

/** All values that the outputs reach, inputs before users, in an order that follows from the outputs alone. */
export function topologicalOrder(outputs: readonly Value[]): Value[] {
  const order: Value[] = [];
  const seen = new Set<Value>();
  const stack: { value: Value; next: number }[] = [];
  for (const output of outputs) {
    if (seen.has(output)) continue;
    seen.add(output);
    stack.push({ value: output, next: 0 });
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const child = top.value.inputs[top.next++];
      if (child === undefined) {
        order.push(top.value);
        stack.pop();
      } else if (!seen.has(child)) {
        seen.add(child);
        stack.push({ value: child, next: 0 });
      }
    }
  }
  return order;
}
