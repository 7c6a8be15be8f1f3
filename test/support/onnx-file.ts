import { create, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from "onnx-buf";
import { random } from "../../src/engine/random.ts";
import { sizeOf } from "../../src/engine/shape.ts";

/** A whole number, a real one (as `{ float }`), text, a list of whole numbers or of real ones, or a tensor. */
export type AttributeOf =
  | number
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | string
  | readonly number[]
  | TensorProto;

/** A node: operator (`com.microsoft.Gelu` of another domain), inputs, outputs, attributes. */
export type NodeOf = readonly [
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes?: Readonly<Record<string, AttributeOf>>,
];

/** A tensor of 32-bit reals. */
export function floats(name: string, dims: readonly number[], values: ArrayLike<number>): TensorProto {
  const data = Float32Array.from(values);
  return create(TensorProtoSchema, {
    name,
    dataType: DataType.FLOAT,
    dims: dims.map(BigInt),
    rawData: new Uint8Array(data.buffer),
  });
}

/** Normal numbers, the same for a name whatever else is drawn. */
export const drawn = (name: string, ...dims: number[]) => floats(name, dims, random(7, name).normals(sizeOf(dims)));

/** A tensor of 64-bit whole numbers. */
export function int64s(name: string, dims: readonly number[], values: readonly number[]): TensorProto {
  const data = BigInt64Array.from(values, BigInt);
  return create(TensorProtoSchema, {
    name,
    dataType: DataType.INT64,
    dims: dims.map(BigInt),
    rawData: new Uint8Array(data.buffer),
  });
}

/** A file written by hand. Axes named by text are open. */
export function onnxFile(model: {
  readonly opset?: number;
  readonly nodes: readonly NodeOf[];
  readonly weights?: readonly TensorProto[];
  readonly inputs: Readonly<Record<string, readonly (number | string)[]>>;
  readonly outputs: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
}): Uint8Array {
  const { opset = 17, nodes, weights = [], inputs, outputs, metadata = {} } = model;
  const info = (name: string, dims: readonly (number | string)[]) =>
    create(ValueInfoProtoSchema, {
      name,
      type: {
        value: {
          case: "tensorType",
          value: {
            elemType: DataType.FLOAT,
            shape: {
              dim: dims.map((n) => ({
                value:
                  typeof n === "number"
                    ? ({ case: "dimValue", value: BigInt(n) } as const)
                    : ({ case: "dimParam", value: n } as const),
              })),
            },
          },
        },
      },
    });
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [
        create(OperatorSetIdProtoSchema, { domain: "", version: BigInt(opset) }),
        create(OperatorSetIdProtoSchema, { domain: "com.microsoft", version: 1n }),
      ],
      graph: create(GraphProtoSchema, {
        name: "test",
        node: nodes.map(([opType, input, output, attributes = {}], i) =>
          create(NodeProtoSchema, {
            name: `n${i}`,
            domain: opType.split(".").slice(0, -1).join("."),
            opType: opType.split(".").at(-1)!,
            input: [...input],
            output: [...output],
            attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
          }),
        ),
        initializer: [...weights],
        input: Object.entries(inputs).map(([name, dims]) => info(name, dims)),
        output: outputs.map((name) =>
          create(ValueInfoProtoSchema, {
            name,
            type: { value: { case: "tensorType", value: { elemType: DataType.FLOAT } } },
          }),
        ),
      }),
      metadataProps: Object.entries(metadata).map(([key, value]) =>
        create(StringStringEntryProtoSchema, { key, value }),
      ),
    }),
  );
}

function attribute(name: string, value: AttributeOf) {
  const of = (type: AttributeType, field: object) => create(AttributeProtoSchema, { name, type, ...field });
  if (typeof value === "number") return of(AttributeType.INT, { i: BigInt(value) });
  if (typeof value === "string") return of(AttributeType.STRING, { s: new TextEncoder().encode(value) });
  if ("float" in value) return of(AttributeType.FLOAT, { f: value.float });
  if ("floats" in value) return of(AttributeType.FLOATS, { floats: [...value.floats] });
  if ("dims" in value) return of(AttributeType.TENSOR, { t: value });
  return of(AttributeType.INTS, { ints: value.map(BigInt) });
}
