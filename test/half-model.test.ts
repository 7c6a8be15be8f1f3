import { fromBinary } from "@bufbuild/protobuf";
import { TensorProto_DataType as DataType, ModelProtoSchema } from "onnx-buf";
import { expect, test } from "vitest";
import { withHalfWeights } from "../src/engine/half-model.ts";
import { random } from "../src/engine/random.ts";
import { runOnnx } from "../src/engine/runtime.ts";
import { tensor } from "../src/engine/tensor.ts";
import { initialState } from "../src/models/bind.ts";
import { weightsOf } from "../src/models/model.ts";
import { buildModel } from "../src/study/choose.ts";
import { classifierOnnx } from "../src/study/export.ts";
import { expectAllClose } from "./support/all-close.ts";

const model = buildModel({ kind: "resnet10", width: 8, stem: "small" }, { input: [3, 32, 32], classes: 5 });
const state = initialState(weightsOf(model), 1);
const images = { images: tensor(random(1, "images").uniforms(4 * 3 * 32 * 32), [4, 3, 32, 32]) };

test("halves a classifier's bytes, computes its logits, and says in the file what is stored", async () => {
  const whole = classifierOnnx(model, state, { defense: "none" });
  const half = withHalfWeights(whole);
  expect(half.length).toBeLessThan(0.6 * whole.length);
  const [before, after] = [await runOnnx(whole, images), await runOnnx(half, images)];
  expectAllClose(after.logits!.data, before.logits!.data, { relative: 5e-3, absolute: 5e-3 });
  expect([...after.logits!.data]).not.toEqual([...before.logits!.data]);
  const { graph, metadataProps } = fromBinary(ModelProtoSchema, half);
  expect(graph!.initializer.filter(({ dataType }) => dataType === DataType.FLOAT16).length).toBeGreaterThan(8);
  expect(graph!.output.map(({ name }) => name)).toEqual(["logits"]);
  expect(metadataProps.map(({ key }) => key)).toContain("defense");
});

test("a weight that half precision does not hold stays float32", async () => {
  const name = "fc.weight";
  const { shape, data } = state[name]!;
  const large = {
    ...state,
    [name]: tensor(
      Float32Array.from(data, (x) => 1e7 * x),
      shape,
    ),
  };
  const whole = classifierOnnx(model, large, {});
  const [before, after] = [await runOnnx(whole, images), await runOnnx(withHalfWeights(whole), images)];
  expect([...after.logits!.data].every(Number.isFinite)).toBe(true);
  const scale = Math.max(...[...before.logits!.data].map((x) => Math.abs(Number(x))));
  expectAllClose(after.logits!.data, before.logits!.data, { relative: 5e-3, absolute: 5e-3 * scale });
});
