import { describe, expect, test } from "vitest";
import { input } from "../../src/engine/graph.ts";
import { importOnnx } from "../../src/engine/import/import-onnx.ts";
import { floats, int64s, type NodeOf, onnxFile } from "../support/onnx-file.ts";

describe("shape arithmetic", () => {
  const flattening: readonly NodeOf[] = [
    ["Shape", ["x"], ["shape"]],
    ["Constant", [], ["zero"], { value: int64s("", [], [0]) }],
    ["Gather", ["shape", "zero"], ["n"], { axis: 0 }],
    ["Constant", [], ["axes"], { value_ints: [0] }],
    ["Unsqueeze", ["n", "axes"], ["n1"]],
    ["Constant", [], ["rest"], { value_ints: [-1] }],
    ["Concat", ["n1", "rest"], ["target"], { axis: 0 }],
    ["Reshape", ["x", "target"], ["y"]],
  ];

  test("is computed on import, whatever the batch", () => {
    const graph = importOnnx(onnxFile({ nodes: flattening, inputs: { x: ["batch", 3, 4] }, outputs: ["y"] }));
    for (const batch of [1, 5]) {
      const { y } = graph.build({ x: input("x", [batch, 3, 4]) });
      expect(y!.shape).toEqual([batch, 12]);
      expect(y!.value().op).toBe("Reshape");
    }
  });

  test("of a file with a fixed batch follows the batch that is built", () => {
    const nodes: NodeOf[] = [
      ["Reshape", ["x", "target"], ["flat"]],
      ["Concat", ["token", "flat"], ["y"], { axis: 1 }],
    ];
    const weights = [int64s("target", [2], [1, -1]), floats("token", [1, 2], [7, 8])];
    const graph = importOnnx(onnxFile({ nodes, weights, inputs: { x: [1, 3, 4] }, outputs: ["y"] }));
    expect(graph.build({ x: input("x", [5, 3, 4]) }).y!.shape).toEqual([5, 14]);
    expect(graph.build({ x: input("x", [1, 3, 4]) }).y!.shape).toEqual([1, 14]);
  });

  test("of all kinds", () => {
    const nodes: NodeOf[] = [
      ["Shape", ["x"], ["shape"]],
      ["Slice", ["shape", "starts", "ends"], ["hw"]],
      ["Cast", ["hw"], ["real"], { to: 1 }],
      ["Mul", ["real", "scale"], ["scaled"]],
      ["Floor", ["scaled"], ["floored"]],
      ["Cast", ["floored"], ["whole"], { to: 7 }],
      ["ReduceProd", ["whole"], ["area"], { keepdims: 1, axes: [0] }],
      ["Sub", ["area", "one"], ["less"]],
      ["Range", ["zero", "limit", "one0"], ["range"]],
      ["Equal", ["range", "one0"], ["same"]],
      ["Where", ["same", "range", "zero"], ["picked"]],
      ["Expand", ["picked", "three"], ["wide"]],
      ["Transpose", ["wide"], ["turned"]],
      ["Tile", ["less", "two"], ["tiled"]],
    ];
    const weights = [
      int64s("starts", [1], [1]),
      int64s("ends", [1], [1000]),
      floats("scale", [], [1.5]),
      int64s("one", [1], [1]),
      int64s("one0", [], [1]),
      int64s("zero", [], [0]),
      int64s("limit", [], [3]),
      int64s("three", [2], [2, 3]),
      int64s("two", [1], [2]),
    ];
    const outputs = ["turned", "tiled"];
    const { turned, tiled } = importOnnx(onnxFile({ nodes, weights, inputs: { x: [2, 3, 5] }, outputs })).build({
      x: input("x", [2, 3, 5]),
    });
    // ⌊1.5·3⌋·⌊1.5·5⌋ − 1 = 27, twice; [0, 1, 0] as two rows, turned.
    expect(Array.from(tiled!.known!().data)).toEqual([27, 27]);
    expect([turned!.shape, Array.from(turned!.known!().data)]).toEqual([
      [3, 2],
      [0, 0, 1, 1, 0, 0],
    ]);
  });
});
