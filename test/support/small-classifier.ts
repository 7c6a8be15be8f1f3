import { random } from "../../src/engine/random.ts";
import { sizeOf } from "../../src/engine/shape.ts";
import { floats, int64s, onnxFile } from "./onnx-file.ts";

/** How the file of `smallClassifier` differs from the plain one. */
export interface SmallClassifierOptions {
  readonly layout?: "nchw" | "nhwc";
  readonly batch?: number | "batch";
  readonly classes?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * A residual classifier of 8×8 colour images as an exporter writes it: batch norms that are not folded, a block with two branches, a
 * shape that is computed, a softmax at the end. Weights are drawn, with names as PyTorch's.
 */
export function smallClassifier(options: SmallClassifierOptions = {}): Uint8Array {
  const { layout = "nchw", batch = "batch", classes = 4, metadata = {} } = options;
  const drawn = (name: string, scale: number, ...dims: number[]) =>
    floats(
      name,
      dims,
      random(5, name)
        .normals(sizeOf(dims))
        .map((x) => x * scale),
    );
  const norm = (path: string, channels: number) => [
    floats(
      `${path}.weight`,
      [channels],
      random(5, path, "weight")
        .uniforms(channels)
        .map((x) => x + 0.5),
    ),
    drawn(`${path}.bias`, 0.2, channels),
    drawn(`${path}.running_mean`, 0.2, channels),
    floats(
      `${path}.running_var`,
      [channels],
      random(5, path, "variance")
        .uniforms(channels)
        .map((x) => x + 0.5),
    ),
  ];
  const normed = (x: string, path: string, y: string) =>
    [
      "BatchNormalization",
      [x, `${path}.weight`, `${path}.bias`, `${path}.running_mean`, `${path}.running_var`],
      [y],
    ] as const;
  return onnxFile({
    nodes: [
      ...(layout === "nhwc" ? [["Transpose", ["images"], ["first"], { perm: [0, 3, 1, 2] }] as const] : []),
      ["Conv", [layout === "nhwc" ? "first" : "images", "conv1.weight"], ["c1"], { pads: [1, 1, 1, 1] }],
      normed("c1", "bn1", "b1"),
      ["Relu", ["b1"], ["r1"]],
      ["MaxPool", ["r1"], ["p1"], { kernel_shape: [2, 2], strides: [2, 2] }],
      ["Conv", ["p1", "layer1.0.conv1.weight"], ["c2"], { pads: [1, 1, 1, 1] }],
      normed("c2", "layer1.0.bn1", "b2"),
      ["Relu", ["b2"], ["r2"]],
      ["Conv", ["r2", "layer1.0.conv2.weight"], ["c3"], { pads: [1, 1, 1, 1] }],
      ["Add", ["c3", "p1"], ["a3"]],
      ["Relu", ["a3"], ["r3"]],
      ["Conv", ["r3", "layer2.0.conv1.weight", "layer2.0.conv1.bias"], ["c4"], { strides: [2, 2] }],
      ["HardSwish", ["c4"], ["h4"]],
      ["GlobalAveragePool", ["h4"], ["g4"]],
      ["Shape", ["g4"], ["s4"]],
      ["Slice", ["s4", "zero", "two"], ["nc"]],
      ["Reshape", ["g4", "nc"], ["features"]],
      ["Gemm", ["features", "fc.weight", "fc.bias"], ["logits"], { transB: 1 }],
      ["Softmax", ["logits"], ["probabilities"], { axis: 1 }],
    ],
    weights: [
      drawn("conv1.weight", 0.4, 6, 3, 3, 3),
      ...norm("bn1", 6),
      drawn("layer1.0.conv1.weight", 0.3, 6, 6, 3, 3),
      ...norm("layer1.0.bn1", 6),
      drawn("layer1.0.conv2.weight", 0.3, 6, 6, 3, 3),
      drawn("layer2.0.conv1.weight", 0.5, 10, 6, 2, 2),
      drawn("layer2.0.conv1.bias", 0.3, 10),
      drawn("fc.weight", 0.7, classes, 10),
      drawn("fc.bias", 0.3, classes),
      int64s("zero", [1], [0]),
      int64s("two", [1], [2]),
    ],
    inputs: { images: layout === "nchw" ? [batch, 3, 8, 8] : [batch, 8, 8, 3] },
    outputs: ["probabilities"],
    metadata,
  });
}
