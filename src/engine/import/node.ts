import { type AttributeProto, AttributeProto_AttributeType as AttributeType, type NodeProto } from "onnx-buf";
import type { HostTensor } from "./host.ts";
import { once } from "./once.ts";
import { type ExternalData, readTensor } from "./tensor-proto.ts";

/** What an attribute holds. Tensors are read when they are asked for; `other` stands for graphs, types and lists of them. */
export type OnnxValue =
  | { readonly kind: "int" | "float"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "ints" | "floats"; readonly value: readonly number[] }
  | { readonly kind: "tensor"; readonly value: () => HostTensor }
  | { readonly kind: "other" };

/** A node of the file. */
export interface OnnxNode {
  /** `Conv`; operators of another domain than ONNX's own bear it: `com.microsoft.FusedConv`. */
  readonly op: string;
  /** Its name, or its place where it has none. */
  readonly name: string;
  /** Names of what it reads; "" where an optional input is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxValue>;
}

/** Reads a node of the file; `index` is its place among all. */
export function readNode(node: NodeProto, index: number, external: ExternalData): OnnxNode {
  const domain = node.domain === "" || node.domain === "ai.onnx" ? "" : `${node.domain}.`;
  return {
    op: `${domain}${node.opType}`,
    name: node.name === "" ? `number ${index + 1}` : `"${node.name}"`,
    inputs: node.input,
    outputs: node.output,
    attributes: new Map(node.attribute.map((a) => [a.name, readAttribute(a, external)])),
  };
}

function readAttribute(a: AttributeProto, external: ExternalData): OnnxValue {
  switch (a.type) {
    case AttributeType.INT:
      return { kind: "int", value: Number(a.i) };
    case AttributeType.FLOAT:
      return { kind: "float", value: a.f };
    case AttributeType.STRING:
      return { kind: "string", value: new TextDecoder().decode(a.s) };
    case AttributeType.INTS:
      return { kind: "ints", value: a.ints.map(Number) };
    case AttributeType.FLOATS:
      return { kind: "floats", value: a.floats };
    case AttributeType.TENSOR: {
      const { t } = a;
      return t === undefined ? { kind: "other" } : { kind: "tensor", value: once(() => readTensor(t, external)) };
    }
    default:
      return { kind: "other" };
  }
}
