import { fromBinary } from "@bufbuild/protobuf";
import { type GraphProto, type ModelProto, ModelProtoSchema, type ValueInfoProto } from "onnx-buf";
import { UserError } from "../errors.ts";
import type { HostTensor } from "./host.ts";
import { type OnnxNode, readNode } from "./node.ts";
import { once } from "./once.ts";
import { refusal } from "./refusal.ts";
import { type ExternalData, readTensor } from "./tensor-proto.ts";

/** A length of an axis: a number, or the name of one that the file leaves open ("" where it has no name). */
export type Dimension = number | string;

/** An input or output as the file declares it. */
export interface Declared {
  readonly name: string;
  /** ONNX's number of the element type; 0 where none is said. */
  readonly dataType: number;
  /** Undefined where the file says no shape. */
  readonly dims: readonly Dimension[] | undefined;
}

/** An ONNX file, read but not yet understood. */
export interface OnnxFile {
  /** What messages call it. */
  readonly name: string;
  /** Version of ONNX's own operators. */
  readonly opset: number;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<string, () => HostTensor>;
  /** Without those that initializers stand for. */
  readonly inputs: readonly Declared[];
  readonly outputs: readonly Declared[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** The newest version of the operators whose rules are known. */
const NEWEST = 25;

/** @throws UserError for bytes that are no ONNX model, and for versions of operators that are not read. */
export function readModelFile(bytes: Uint8Array, name: string, external: ExternalData): OnnxFile {
  const proto = parse(bytes, name);
  const { graph } = proto;
  if (graph === undefined || graph.node.length === 0) throw refusal(`${name}: no ONNX model, it has no graph`);
  const opset = opsetOf(proto, name);
  if (graph.sparseInitializer.length > 0) {
    throw refusal(`${name}: sparse weights are not read; store them as dense initializers`);
  }
  const initializers = new Map(
    graph.initializer.map((t) => [t.name, once(() => within(name, () => readTensor(t, external)))]),
  );
  return {
    name,
    opset,
    nodes: graph.node.map((node, i) => readNode(node, i, external)),
    initializers,
    inputs: graph.input.filter((v) => !initializers.has(v.name)).map(declared),
    outputs: outputsOf(graph, name),
    metadata: Object.fromEntries(proto.metadataProps.map(({ key, value }) => [key, value])),
  };
}

function parse(bytes: Uint8Array, name: string): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw refusal(`${name}: no ONNX model, its ${bytes.length} bytes cannot be decoded (${why})`);
  }
}

function opsetOf(proto: ModelProto, name: string): number {
  const own = proto.opsetImport.find(({ domain }) => domain === "" || domain === "ai.onnx");
  const version = Number(own?.version ?? 1);
  if (version >= 1 && version <= NEWEST) return version;
  throw refusal(
    `${name}: operators of opset ${version} are not read; export the model with an opset from 11 to ${NEWEST}`,
  );
}

function outputsOf(graph: GraphProto, name: string): Declared[] {
  if (graph.output.length === 0) throw refusal(`${name}: no ONNX model, its graph has no output`);
  return graph.output.map(declared);
}

function declared({ name, type }: ValueInfoProto): Declared {
  if (type?.value.case !== "tensorType") return { name, dataType: 0, dims: undefined };
  const { elemType, shape } = type.value.value;
  const dims = shape?.dim.map(({ value }): Dimension => {
    if (value.case === "dimValue" && value.value > 0n) return Number(value.value);
    return value.case === "dimParam" ? value.value : "";
  });
  return { name, dataType: elemType, dims };
}

/** Names the file in front of what is wrong with it. */
function within<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof UserError) throw refusal(`${name}: ${error.message}`);
    throw error;
  }
}
