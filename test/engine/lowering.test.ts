import { describe, expect, test } from "vitest";
import { grad } from "../../src/engine/autodiff.ts";
import { constant, input, parameter, type Value } from "../../src/engine/graph.ts";
import { relu } from "../../src/engine/ops/activation.ts";
import { conv2d, convTranspose2d } from "../../src/engine/ops/conv.ts";
import { square } from "../../src/engine/ops/elementwise.ts";
import { batchNormEval } from "../../src/engine/ops/norm.ts";
import { sum } from "../../src/engine/ops/reduce.ts";
import { printGraph } from "../../src/engine/print.ts";
import { random } from "../../src/engine/random.ts";
import { compile } from "../../src/engine/runtime.ts";
import { type Shape, sizeOf } from "../../src/engine/shape.ts";
import { createStore } from "../../src/engine/store.ts";
import { type FloatTensor, tensor } from "../../src/engine/tensor.ts";
import { expectAllClose } from "../support/all-close.ts";

// A constant weight and a parameter lower to different ONNX patterns; both must compute the same.

const drawn = (name: string, shape: Shape) => tensor(random(11, name).normals(sizeOf(shape)), shape);

type Weights = Readonly<Record<string, FloatTensor>>;

/** The function and its gradient for x, once with fixed weights and once with weights from a store. */
async function expectSame(
  f: (x: Value, w: (name: string) => Value) => Value,
  shape: Shape,
  weights: Weights,
): Promise<void> {
  const at = { x: drawn("x", shape).data };
  const results = await Promise.all(
    [(name: string) => constant(weights[name]!, name), (name: string) => parameter(name, weights[name]!.shape)].map(
      async (w) => {
        const x = input("x", shape);
        const y = f(x, w);
        const [dx] = grad(sum(square(y)), [x]);
        const program = await compile({ outputs: { y, dx: dx! }, store: createStore(weights) });
        const { y: value, dx: gradient } = await program.run(at);
        await program.release();
        return { value: value!.data, gradient: gradient!.data };
      },
    ),
  );
  const [fixed, held] = results as [(typeof results)[0], (typeof results)[0]];
  expectAllClose(fixed.value, held.value, { relative: 1e-4, absolute: 1e-4 }, "value");
  expectAllClose(fixed.gradient, held.gradient, { relative: 1e-4, absolute: 2e-3 }, "gradient");
}

type Options = Parameters<typeof convTranspose2d>[2];

describe("a convolution with a fixed kernel equals the same with a trained one", () => {
  test.each<[Options, Shape, Shape]>([
    [{ padding: 1 }, [2, 3, 6, 5], [4, 3, 3, 3]],
    [{ padding: [2, 0] }, [1, 2, 5, 6], [3, 2, 5, 2]],
    [{ padding: 2, dilation: 2 }, [2, 2, 7, 6], [3, 2, 3, 3]],
    [{ padding: 3 }, [1, 2, 4, 4], [3, 2, 3, 3]],
    [{ padding: 1, groups: 2 }, [1, 4, 5, 5], [6, 2, 3, 3]],
    [{ stride: 2, padding: 1 }, [2, 3, 8, 8], [4, 3, 3, 3]],
    [{ stride: 2, padding: 1 }, [2, 3, 7, 8], [4, 3, 3, 3]],
    [{ stride: 2, padding: 3 }, [1, 3, 12, 8], [4, 3, 7, 7]],
    [{ stride: 2, padding: 2 }, [1, 2, 8, 8], [3, 2, 5, 5]],
    [{ stride: 3, padding: 1 }, [1, 2, 9, 6], [3, 2, 4, 5]],
    [{ stride: 2 }, [1, 2, 6, 6], [3, 2, 1, 1]],
    [{ stride: 2, padding: 1, groups: 2 }, [1, 4, 6, 6], [4, 2, 4, 4]],
    [{ stride: [2, 1], padding: 1 }, [1, 2, 6, 5], [3, 2, 3, 3]],
  ])("%j on %j with %j", (options, shape, kernel) =>
    expectSame((x, w) => conv2d(x, w("w"), options), shape, { w: drawn("w", kernel) }),
  );
});

describe("a transposed convolution with a fixed kernel equals the same with a trained one", () => {
  test.each<[Options, Shape, Shape]>([
    [{}, [2, 3, 1, 1], [3, 4, 4, 4]],
    [{ padding: 1 }, [2, 3, 4, 5], [3, 4, 3, 3]],
    [{ stride: 2, padding: 1 }, [2, 3, 4, 5], [3, 4, 4, 4]],
    [{ stride: 2, padding: 2, outputPadding: 1 }, [2, 3, 4, 3], [3, 2, 5, 5]],
    [{ stride: 2, padding: 1, outputPadding: 1 }, [1, 2, 3, 4], [2, 3, 3, 3]],
    [{ stride: 3, padding: 1 }, [1, 2, 3, 4], [2, 3, 5, 5]],
    [{ stride: 4, padding: 2 }, [1, 2, 2, 3], [2, 1, 8, 8]],
    [{ stride: 2 }, [1, 2, 3, 4], [2, 3, 3, 3]],
    [{ stride: 2, padding: 1, groups: 2 }, [1, 4, 3, 3], [4, 3, 4, 4]],
  ])("%j on %j with %j", (options, shape, kernel) =>
    expectSame((x, w) => convTranspose2d(x, w("w"), options), shape, { w: drawn("w", kernel) }),
  );
});

describe("batch norm behind a fixed convolution", () => {
  const weights = {
    "conv1.weight": drawn("conv", [6, 3, 3, 3]),
    "bn1.weight": drawn("scale", [6]),
    "bn1.bias": drawn("shift", [6]),
    "bn1.running_mean": drawn("mean", [6]),
    "bn1.running_var": tensor(
      random(11, "variance")
        .uniforms(6)
        .map((v) => v + 0.1),
      [6],
    ),
  };
  const block =
    (options: Options) =>
    (x: Value, w: (name: string) => Value): Value => {
      const norm = { weight: w("bn1.weight"), bias: w("bn1.bias") };
      const maps = conv2d(x, w("conv1.weight"), options);
      return relu(batchNormEval(maps, norm, w("bn1.running_mean"), w("bn1.running_var")));
    };

  test.each<[Options]>([[{ padding: 1 }], [{ stride: 2, padding: 1 }], [{ dilation: 2 }]])(
    "%j gives what the norm gives by itself",
    (options) => expectSame(block(options), [2, 3, 8, 7], weights),
  );

  test("is folded into the kernel, and its gradient is that of the convolution alone", () => {
    const x = input("x", [2, 3, 8, 8]);
    const folded = block({ padding: 1 })(x, (name) => constant(weights[name as keyof typeof weights], name));
    const text = printGraph({ dx: grad(sum(folded), [x])[0]! });
    expect(text).toContain("conv1.weight");
    expect(text).not.toContain("ChannelAffine");
    const held = block({ padding: 1 })(x, (name) => parameter(name, weights[name as keyof typeof weights].shape));
    expect(printGraph({ held })).toContain("ChannelAffine");
  });

  test("also where several groups share the kernel", () =>
    expectSame(
      (x, w) => {
        const maps = conv2d(x, w("conv1.weight"), { groups: 2, padding: 1 });
        return batchNormEval(
          maps,
          { weight: w("bn1.weight"), bias: w("bn1.bias") },
          w("bn1.running_mean"),
          w("bn1.running_var"),
        );
      },
      [2, 6, 5, 5],
      weights,
    ));
});
