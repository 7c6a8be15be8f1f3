import { random } from "../../src/engine/random.ts";
import { sizeOf } from "../../src/engine/shape.ts";
import { floats, int64s, type NodeOf, onnxFile } from "./onnx-file.ts";

/**
 * A vision transformer of one block on 8×8 colour images, exported for a batch of one: every shape in it says so. Two heads of three
 * numbers, four patches and a class token.
 */
export function smallTransformer(classes: number): Uint8Array {
  const drawn = (name: string, ...dims: number[]) =>
    floats(
      name,
      dims,
      random(6, name)
        .normals(sizeOf(dims))
        .map((x) => x * 0.5),
    );
  const norm = (path: string) => [drawn(`${path}.weight`, 6), drawn(`${path}.bias`, 6)];
  const heads: NodeOf[] = ["q", "k", "v"].map((part) => ["Gather", ["qkv_t", `at_${part}`], [part], { axis: 0 }]);
  return onnxFile({
    nodes: [
      ["Conv", ["images", "patch_embed.proj.weight", "patch_embed.proj.bias"], ["patches"], { strides: [4, 4] }],
      ["Reshape", ["patches", "to_tokens"], ["flat"]],
      ["Transpose", ["flat"], ["tokens"], { perm: [0, 2, 1] }],
      ["Concat", ["cls_token", "tokens"], ["all"], { axis: 1 }],
      ["Add", ["all", "pos_embed"], ["x0"]],
      ["LayerNormalization", ["x0", "blocks.0.norm1.weight", "blocks.0.norm1.bias"], ["n1"]],
      ["MatMul", ["n1", "blocks.0.attn.qkv.weight"], ["qkv"]],
      ["Add", ["blocks.0.attn.qkv.bias", "qkv"], ["qkv_b"]],
      ["Reshape", ["qkv_b", "to_heads"], ["qkv_r"]],
      ["Transpose", ["qkv_r"], ["qkv_t"], { perm: [2, 0, 3, 1, 4] }],
      ...heads,
      ["Transpose", ["k"], ["k_t"], { perm: [0, 1, 3, 2] }],
      ["MatMul", ["q", "k_t"], ["scores"]],
      ["Mul", ["scores", "scale"], ["scaled"]],
      ["Softmax", ["scaled"], ["weights"], { axis: -1 }],
      ["MatMul", ["weights", "v"], ["mixed"]],
      ["Transpose", ["mixed"], ["mixed_t"], { perm: [0, 2, 1, 3] }],
      ["Reshape", ["mixed_t", "to_model"], ["joined"]],
      ["MatMul", ["joined", "blocks.0.attn.proj.weight"], ["projected"]],
      ["Add", ["x0", "projected"], ["x1"]],
      ["LayerNormalization", ["x1", "blocks.0.norm2.weight", "blocks.0.norm2.bias"], ["n2"]],
      ["MatMul", ["n2", "blocks.0.mlp.fc1.weight"], ["h"]],
      ["Gelu", ["h"], ["g"]],
      ["MatMul", ["g", "blocks.0.mlp.fc2.weight"], ["m"]],
      ["Add", ["x1", "m"], ["x2"]],
      ["LayerNormalization", ["x2", "norm.weight", "norm.bias"], ["n3"]],
      ["Gather", ["n3", "first"], ["token"], { axis: 1 }],
      ["Gemm", ["token", "head.weight", "head.bias"], ["logits"], { transB: 1 }],
    ],
    weights: [
      drawn("patch_embed.proj.weight", 6, 3, 4, 4),
      drawn("patch_embed.proj.bias", 6),
      drawn("cls_token", 1, 1, 6),
      drawn("pos_embed", 1, 5, 6),
      ...norm("blocks.0.norm1"),
      drawn("blocks.0.attn.qkv.weight", 6, 18),
      drawn("blocks.0.attn.qkv.bias", 18),
      drawn("blocks.0.attn.proj.weight", 6, 6),
      ...norm("blocks.0.norm2"),
      drawn("blocks.0.mlp.fc1.weight", 6, 12),
      drawn("blocks.0.mlp.fc2.weight", 12, 6),
      ...norm("norm"),
      drawn("head.weight", classes, 6),
      drawn("head.bias", classes),
      floats("scale", [], [1 / Math.sqrt(3)]),
      int64s("to_tokens", [3], [1, 6, -1]),
      int64s("to_heads", [5], [1, 5, 3, 2, 3]),
      int64s("to_model", [3], [1, 5, 6]),
      int64s("first", [], [0]),
      ...["q", "k", "v"].map((part, i) => int64s(`at_${part}`, [], [i])),
    ],
    inputs: { images: [1, 3, 8, 8] },
    outputs: ["logits"],
    opset: 20,
  });
}
