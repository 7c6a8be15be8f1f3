import { create } from "@bufbuild/protobuf";
import {
  TensorProto_DataLocation as DataLocation,
  TensorProto_DataType as DataType,
  TensorProtoSchema,
} from "onnx-buf";
import { describe, expect, test } from "vitest";
import { grad } from "../../src/engine/autodiff.ts";
import { input, parameter, type Value } from "../../src/engine/graph.ts";
import type { Scope } from "../../src/engine/import/call.ts";
import { importOnnx } from "../../src/engine/import/import-onnx.ts";
import { sum } from "../../src/engine/ops/reduce.ts";
import { expectAllClose } from "../support/all-close.ts";
import { evaluate } from "../support/evaluate.ts";
import { drawn, floats, type NodeOf, onnxFile } from "../support/onnx-file.ts";

describe("weights", () => {
  const file = (weight: ReturnType<typeof floats>, more: readonly NodeOf[] = [], others = [] as (typeof weight)[]) =>
    onnxFile({
      nodes: [...more, ["MatMul", ["x", more.length > 0 ? "w32" : "w"], ["y"]]],
      weights: [weight, ...others],
      inputs: { x: ["n", 3] },
      outputs: ["y"],
      opset: 21,
    });
  const ones = { x: Float32Array.of(1, 1, 1) };
  const built = (bytes: Uint8Array, scope?: Scope) => importOnnx(bytes).build({ x: input("x", [1, 3]) }, scope).y!;
  const raw = (dataType: DataType, bytes: ArrayLike<number>, dims = [3, 2]) =>
    create(TensorProtoSchema, { name: "w", dataType, dims: dims.map(BigInt), rawData: Uint8Array.from(bytes) });

  test("of half precision are read", async () => {
    // 1, 2, −0.5, 2⁻²⁴, 65504, 0 in IEEE half precision, lower byte first.
    const bytes = [0x00, 0x3c, 0x00, 0x40, 0x00, 0xb8, 0x01, 0x00, 0xff, 0x7b, 0x00, 0x00];
    const y = await evaluate(built(file(raw(DataType.FLOAT16, bytes))).value(), ones);
    expectAllClose(y, [1 - 0.5 + 65504, 2 + 2 ** -24]);
  });

  test("of eight bits are what their scales make of them, and can be trained", async () => {
    const nodes: NodeOf[] = [["DequantizeLinear", ["w", "scale", "zero"], ["w32"], { axis: 1 }]];
    const others = [
      floats("scale", [2], [0.5, 2]),
      create(TensorProtoSchema, { name: "zero", dataType: DataType.INT8, dims: [2n], int32Data: [1, -1] }),
    ];
    const bytes = file(raw(DataType.INT8, [3, 255, 1, 4, 129, 0]), nodes, others);
    // (3, 1, −127) − 1 halved; (−1, 4, 0) + 1 doubled.
    const y = await evaluate(built(bytes).value(), ones);
    expectAllClose(y, [0.5 * (2 + 0 - 128), 2 * (0 + 5 + 1)]);
    const asked: string[] = [];
    built(bytes, recording(asked));
    expect(asked).toEqual(["weight w"]);
  });

  test("in a file beside the model are read, and nothing else is", async () => {
    const data = Float32Array.of(0, 0, 1, 2, 3, 4, 5, 6);
    const t = create(TensorProtoSchema, {
      name: "w",
      dataType: DataType.FLOAT,
      dims: [3n, 2n],
      dataLocation: DataLocation.EXTERNAL,
      externalData: [
        { key: "location", value: "w.bin" },
        { key: "offset", value: "8" },
        { key: "length", value: "24" },
      ],
    });
    const external = (location: string) => {
      expect(location).toBe("w.bin");
      return new Uint8Array(data.buffer);
    };
    const y = importOnnx(file(t), { external }).build({ x: input("x", [1, 3]) }).y!;
    expectAllClose(await evaluate(y.value(), ones), [1 + 3 + 5, 2 + 4 + 6]);
    expect(() => importOnnx(file(t))).toThrow(/another file \(w.bin\)/);
  });

  /** Writes down what a graph asks for. */
  function recording(asked: string[]): Scope {
    return {
      training: false,
      update: () => {},
      weight(name, t, kind) {
        asked.push(`${kind} ${name}`);
        return parameter(name, t.shape);
      },
    };
  }

  test("bear the file's names; what prepares the image, masks and single numbers are none", () => {
    const asked: string[] = [];
    const nodes: NodeOf[] = [
      ["Sub", ["x", "means"], ["centred"]],
      ["Div", ["centred", "deviations"], ["scaled"]],
      ["Conv", ["scaled", "conv.weight", "conv.bias"], ["c"]],
      ["BatchNormalization", ["c", "bn.weight", "bn.bias", "bn.mean", "bn.var"], ["b"]],
      ["Mul", ["b", "factor"], ["m"]],
      ["Add", ["m", "shift"], ["shifted"]],
      ["Add", ["shifted", "mask"], ["y"]],
    ];
    const bytes = onnxFile({
      nodes,
      weights: [
        floats("means", [3, 1, 1], [1, 2, 3]),
        floats("deviations", [3, 1, 1], [1, 2, 3]),
        drawn("conv.weight", 4, 3, 1, 1),
        drawn("conv.bias", 4),
        ...["bn.weight", "bn.bias", "bn.mean", "bn.var"].map((name) => floats(name, [4], [1, 1, 1, 1])),
        floats("factor", [], [2]),
        floats("shift", [4, 1, 1], [1, 2, 3, 4]),
        floats("mask", [2], [0, Number.NEGATIVE_INFINITY]),
      ],
      inputs: { x: [1, 3, 2, 2] },
      outputs: ["y"],
    });
    importOnnx(bytes).build({ x: input("x", [1, 3, 2, 2]) }, recording(asked));
    expect(asked).toEqual([
      "weight conv.weight",
      "weight conv.bias",
      "weight bn.weight",
      "weight bn.bias",
      "buffer bn.mean",
      "buffer bn.var",
      "weight shift",
    ]);
  });

  test("that are turned before use stay themselves: the gradient reaches them", () => {
    const bytes = onnxFile({
      nodes: [
        ["Transpose", ["w"], ["turned"]],
        ["MatMul", ["x", "turned"], ["y"]],
      ],
      weights: [drawn("w", 2, 3)],
      inputs: { x: ["n", 3] },
      outputs: ["y"],
    });
    const w = parameter("w", [2, 3]);
    const y = importOnnx(bytes).build(
      { x: input("x", [4, 3]) },
      { training: false, update: () => {}, weight: () => w },
    );
    expect(grad(sum(y.y!.value()), [w as Value])[0]!.shape).toEqual([2, 3]);
  });
});
