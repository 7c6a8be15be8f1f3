import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  TensorProto_DataType as DataType,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProtoSchema,
} from "onnx-buf";
import { toHalf } from "./half.ts";

/** The largest finite number of IEEE half precision. */
const LARGEST = 65504;

/**
 * An ONNX model whose weights of more than one axis are stored as float16, each with a Cast back to float32 under the weight's own name. The
 * graph computes in float32 as before, with rounded weights, in half the bytes. Biases, norms and statistics stay as they are, and so do
 * weights with numbers that half precision does not hold.
 */
export function withHalfWeights(onnx: Uint8Array): Uint8Array {
  const model = fromBinary(ModelProtoSchema, onnx);
  const { graph } = model;
  if (graph === undefined) return onnx;
  const casts = graph.initializer.flatMap((weight, place) => {
    if (weight.dataType !== DataType.FLOAT || weight.dims.length < 2 || weight.rawData.length === 0) return [];
    // A copy, since bytes within a file need not begin where a number may.
    const values = new Float32Array(Uint8Array.from(weight.rawData).buffer);
    if (values.some((value) => !(Math.abs(value) <= LARGEST))) return [];
    const name = `${weight.name}/float16`;
    const rawData = new Uint8Array(Uint16Array.from(values, toHalf).buffer);
    const { dims } = weight;
    graph.initializer[place] = create(TensorProtoSchema, { name, dims, dataType: DataType.FLOAT16, rawData });
    return [
      create(NodeProtoSchema, {
        name: `${name}/cast`,
        opType: "Cast",
        input: [name],
        output: [weight.name],
        attribute: [
          create(AttributeProtoSchema, {
            name: "to",
            type: AttributeProto_AttributeType.INT,
            i: BigInt(DataType.FLOAT),
          }),
        ],
      }),
    ];
  });
  graph.node.unshift(...casts);
  return toBinary(ModelProtoSchema, model);
}
