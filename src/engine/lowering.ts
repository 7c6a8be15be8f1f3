import { create, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "onnx-buf";
import { BLOCKED_DOMAIN } from "./blocked/layout.ts";
import { layoutWriter } from "./blocked/writer.ts";
import { topologicalOrder, type Value } from "./graph.ts";
import { bytesOf } from "./number-bytes.ts";
import { type Shape, sameShape, showShape } from "./shape.ts";
import type { Dtype, Tensor } from "./tensor.ts";

/** An ONNX attribute: whole numbers are written as integers unless the key is one of ONNX's float attributes. */
export type OnnxAttribute = number | string | readonly number[];

/** What an op's lowering writes its nodes with. */
export interface Lowering {
  /** Adds a node with one output and returns the output's name; `domain` is set for operators that are not standard ONNX. */
  node(
    op: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
    domain?: string,
  ): string;
  /** The same for a node with two outputs: returns the name of the second, which alone is read. */
  secondOutput(op: string, inputs: readonly string[], attributes?: Readonly<Record<string, OnnxAttribute>>): string;
  /** A fixed tensor; the same tensor is stored once. */
  constant(tensor: Tensor, name: string): string;
  /** A one-dimensional list of 64-bit whole numbers, as ONNX wants shapes, axes and pads. */
  int64s(values: readonly number[]): string;
  /** A one-dimensional list of floats, as ONNX wants scales. */
  floats(values: readonly number[]): string;
  /** A scalar float. */
  float(value: number): string;
}

/** ONNX's opset and file version: new enough for axes as inputs and additive scatter, old enough for any current reader. */
export const OPSET = 18;
const IR_VERSION = 9;

const FLOAT_ATTRIBUTES = new Set(["alpha", "beta", "epsilon"]);
const DATA_TYPES: Readonly<Record<Dtype, DataType>> = {
  float32: DataType.FLOAT,
  int32: DataType.INT32,
  bool: DataType.BOOL,
};

/** What a graph becomes on file. */
export interface OnnxOptions {
  /** Names of the results, in order. */
  readonly outputs: Readonly<Record<string, Value>>;
  /** The leading axis of inputs and outputs takes any length. Right only for graphs that treat each image by itself. */
  readonly anyBatch?: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
  /**
   * Channels of the runtime's own blocks, for a model that this runtime alone will read, on this machine; 0, the default, for standard
   * ONNX.
   */
  readonly block?: number;
  /** Takes the bytes of large constants under a name, instead of their being copied into the model. */
  readonly apart?: (name: string, bytes: Uint8Array) => void;
}

/** Constants of fewer bytes stay in the model. */
const SMALL = 4096;

/** Writes a graph as an ONNX model. Inputs and parameters become the model's inputs; constants are stored in it. */
export function toOnnx({ outputs, anyBatch = false, metadata = {}, block = 0, apart }: OnnxOptions): Uint8Array {
  const nodes: NodeProto[] = [];
  const initializers = new Map<string, TensorProto>();
  const tensorNames = new Map<Tensor, string>();
  const names = new Map<Value, string>();
  const order = topologicalOrder(Object.values(outputs));
  const inputs = namedInputs(order);
  let counter = 0;
  let path = "";

  const store = (name: string, type: DataType, shape: Shape, bytes: Uint8Array): string => {
    if (initializers.has(name)) return name;
    const told = { name, dataType: type, dims: shape.map(BigInt) };
    if (apart === undefined || bytes.length < SMALL) {
      initializers.set(name, create(TensorProtoSchema, { ...told, rawData: Uint8Array.from(bytes) }));
      return name;
    }
    const location = `constant${initializers.size}`;
    const keys = { location, offset: "0", length: `${bytes.length}` };
    const externalData = Object.entries(keys).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value }),
    );
    const dataLocation = TensorProto_DataLocation.EXTERNAL;
    initializers.set(name, create(TensorProtoSchema, { ...told, dataLocation, externalData }));
    apart(location, bytes);
    return name;
  };
  const addNode = (
    opType: string,
    input: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>>,
    outputs: (name: string) => readonly string[],
    domain = "",
  ): string => {
    // The slash in front keeps nodes apart from inputs and weights of any name.
    const name = `/${path === "" ? "" : `${path}/`}${opType}_${counter++}`;
    const output = [...outputs(name)];
    const attribute = Object.entries(attributes).map(([key, value]) => toAttribute(key, value));
    nodes.push(create(NodeProtoSchema, { name, opType, domain, input: [...input], output, attribute }));
    return output.at(-1)!;
  };
  const lowering: Lowering = {
    node: (op, from, attributes = {}, domain = "") => addNode(op, from, attributes, (name) => [name], domain),
    secondOutput: (op, from, attributes = {}) => addNode(op, from, attributes, (name) => [name, `${name}:1`]),
    constant(tensor, wanted) {
      const known = tensorNames.get(tensor);
      if (known !== undefined) return known;
      const taken = wanted === "" || initializers.has(wanted) || inputs.has(wanted);
      const name = taken ? `${wanted || "constant"}#${counter++}` : wanted;
      tensorNames.set(tensor, name);
      return store(name, DATA_TYPES[tensor.dtype], tensor.shape, bytesOf(tensor.data));
    },
    int64s: (values) =>
      store(
        `int64s(${values.join(",")})`,
        DataType.INT64,
        [values.length],
        bytesOf(BigInt64Array.from(values, BigInt)),
      ),
    floats: (values) =>
      store(`floats(${values.join(",")})`, DataType.FLOAT, [values.length], bytesOf(Float32Array.from(values))),
    float: (value) => store(`float(${value})`, DataType.FLOAT, [], bytesOf(Float32Array.of(value))),
  };

  const layouts = layoutWriter({
    lowering,
    block,
    uses: countUses(order, outputs),
    names,
    at(where, act) {
      const before = path;
      path = where;
      const result = act();
      path = before;
      return result;
    },
  });
  for (const v of order) {
    path = v.path;
    if (v.leaf?.kind === "constant") names.set(v, lowering.constant(v.leaf.tensor, v.leaf.name));
    else if (v.leaf !== undefined) names.set(v, v.leaf.name);
    else layouts.write(v);
  }
  for (const v of Object.values(outputs)) layouts.plain(v);
  nameResults(nodes, outputs, names);
  const model = create(ModelProtoSchema, {
    irVersion: BigInt(IR_VERSION),
    producerName: "tl-dmi",
    opsetImport: [
      create(OperatorSetIdProtoSchema, { domain: "", version: BigInt(OPSET) }),
      ...(block > 0 ? [create(OperatorSetIdProtoSchema, { domain: BLOCKED_DOMAIN, version: 1n })] : []),
    ],
    graph: create(GraphProtoSchema, {
      name: "tl-dmi",
      node: nodes,
      initializer: [...initializers.values()],
      input: [...inputs].map(([name, v]) => valueInfo(name, v, anyBatch && v.leaf?.kind === "input")),
      output: Object.entries(outputs).map(([name, v]) => valueInfo(name, v, anyBatch)),
    }),
    metadataProps: Object.entries(metadata).map(([key, value]) => create(StringStringEntryProtoSchema, { key, value })),
  });
  return toBinary(ModelProtoSchema, model);
}

/** How often each value is read, results included. */
function countUses(order: readonly Value[], outputs: Readonly<Record<string, Value>>): Map<Value, number> {
  const uses = new Map<Value, number>();
  for (const v of [...order.flatMap(({ inputs }) => inputs), ...Object.values(outputs)]) {
    uses.set(v, (uses.get(v) ?? 0) + 1);
  }
  return uses;
}

/** The leaves that are no constants, by name. @throws RangeError where two different ones share a name. */
function namedInputs(order: readonly Value[]): Map<string, Value> {
  const inputs = new Map<string, Value>();
  for (const v of order) {
    if (v.leaf === undefined || v.leaf.kind === "constant") continue;
    const known = inputs.get(v.leaf.name) ?? v;
    if (known.op !== v.op || known.dtype !== v.dtype || !sameShape(known.shape, v.shape)) {
      const show = ({ op, dtype, shape }: Value) => `${op} of ${dtype} ${showShape(shape)}`;
      throw new RangeError(`two leaves are named ${v.leaf.name}: ${show(known)} and ${show(v)}`);
    }
    inputs.set(v.leaf.name, known);
  }
  return inputs;
}

/**
 * Gives the results their names. The node that makes a result takes the name itself; an Identity behind it would do, but where other
 * nodes read the value too, the runtime (1.30) drops that Identity and leaves them without input. Leaves, and values that are several
 * results, do need one.
 */
function nameResults(
  nodes: NodeProto[],
  outputs: Readonly<Record<string, Value>>,
  names: ReadonlyMap<Value, string>,
): void {
  const made = new Set(nodes.flatMap((node) => node.output));
  const renamed = new Map<string, string>();
  for (const [name, v] of Object.entries(outputs)) {
    const inner = names.get(v)!;
    if (made.has(inner) && !renamed.has(inner)) renamed.set(inner, name);
    else
      nodes.push(
        create(NodeProtoSchema, { name: `result/${name}`, opType: "Identity", input: [inner], output: [name] }),
      );
  }
  for (const node of nodes) {
    node.input = node.input.map((n) => renamed.get(n) ?? n);
    node.output = node.output.map((n) => renamed.get(n) ?? n);
  }
}

function toAttribute(name: string, value: OnnxAttribute) {
  if (typeof value === "string") {
    return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) });
  }
  if (typeof value !== "number") {
    return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) });
  }
  return FLOAT_ATTRIBUTES.has(name)
    ? create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value })
    : create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) });
}

function valueInfo(name: string, v: Value, anyBatch: boolean): ValueInfoProto {
  const dim = v.shape.map((n, i) => ({
    value:
      anyBatch && i === 0
        ? ({ case: "dimParam", value: "batch" } as const)
        : ({ case: "dimValue", value: BigInt(n) } as const),
  }));
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: { elemType: DATA_TYPES[v.dtype], shape: { dim } } } },
  });
}
