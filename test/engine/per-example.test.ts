import { describe, expect, test } from "vitest";
import { grad } from "../../src/engine/autodiff.ts";
import { constant, input, parameter, type Value } from "../../src/engine/graph.ts";
import { relu, softmax } from "../../src/engine/ops/activation.ts";
import { conv2d, convTranspose2d } from "../../src/engine/ops/conv.ts";
import { add, div, mul, sqrt, stopGradient, sub } from "../../src/engine/ops/elementwise.ts";
import { linear, matmul } from "../../src/engine/ops/linear.ts";
import { crossEntropyRows } from "../../src/engine/ops/loss.ts";
import {
  broadcastTo,
  concat,
  flatten,
  gather,
  pad,
  reshape,
  slice,
  sliceAxis,
  transpose,
} from "../../src/engine/ops/movement.ts";
import { batchNormTrain } from "../../src/engine/ops/norm.ts";
import { mean, sum } from "../../src/engine/ops/reduce.ts";
import { PerExampleError, perExampleGradients, refusalOf, squaredNorms } from "../../src/engine/per-example.ts";
import { random } from "../../src/engine/random.ts";
import { compile, setThreads } from "../../src/engine/runtime.ts";
import { sizeOf } from "../../src/engine/shape.ts";
import { createStore, type StateDict } from "../../src/engine/store.ts";
import { indexTensor, tensor } from "../../src/engine/tensor.ts";
import { trainable } from "../../src/models/bind.ts";
import { logitsLayer, type Model, weightsOf } from "../../src/models/model.ts";
import { expectAllClose } from "../support/all-close.ts";
import { formulaImages, formulaWeights } from "../support/formula-weights.ts";
import { smallModels } from "../support/small-models.ts";
import { tinyModel } from "../support/tiny-world.ts";

setThreads(1);

/** A loss of images [N, …row] over weights of a store, as a graph for any number of images. */
interface Network {
  readonly row: readonly number[];
  readonly classes: number;
  readonly weights: StateDict;
  /** Weights and other tensors of the store by name: logits of images. */
  logits(images: Value, weight: (name: string) => Value): Value;
}

const drawn = (shapes: Readonly<Record<string, readonly number[]>>): StateDict =>
  Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      tensor(
        random(5, name)
          .normals(sizeOf(shape))
          .map((x) => 0.5 * x),
        shape,
      ),
    ]),
  );

function graphOf({ row, classes, weights, logits }: Network, rows: number) {
  const values = new Map(Object.entries(weights).map(([name, { shape }]) => [name, parameter(name, shape)]));
  const images = input("images", [rows, ...row]);
  const losses = crossEntropyRows(
    logits(images, (name) => values.get(name)!),
    input("targets", [rows, classes]),
  );
  return { losses, wrt: [...values.values()] };
}

const networks: Readonly<Record<string, Network>> = {
  "two linear layers": {
    row: [5],
    classes: 3,
    weights: drawn({ "a.weight": [4, 5], "a.bias": [4], "b.weight": [3, 4] }),
    logits: (x, w) => linear(relu(linear(x, w("a.weight"), w("a.bias"))), w("b.weight")),
  },
  "a linear layer over tokens": {
    row: [6, 5],
    classes: 3,
    weights: drawn({ "a.weight": [3, 5], "a.bias": [3] }),
    logits: (x, w) => sum(relu(linear(x, w("a.weight"), w("a.bias"))), [1]),
  },
  "convolutions with stride, groups and biases": {
    row: [4, 6, 6],
    classes: 3,
    weights: drawn({ "a.weight": [6, 2, 3, 3], "a.bias": [6], "b.weight": [3, 6, 3, 3] }),
    logits: (x, w) => {
      const y = relu(conv2d(x, w("a.weight"), { stride: 2, padding: 1, groups: 2 }, w("a.bias")));
      return flatten(conv2d(y, w("b.weight")));
    },
  },
  "a transposed convolution, by a kernel of unit length": {
    row: [2, 3, 3],
    classes: 4,
    weights: drawn({ "a.weight": [2, 4, 3, 3], "a.bias": [4] }),
    logits: (x, w) => {
      const kernel = w("a.weight");
      const unit = div(kernel, sqrt(sum(mul(kernel, kernel), [1, 2, 3], true)));
      const y = convTranspose2d(x, mul(unit, stopGradient(sum(kernel))), { stride: 2, padding: 1 }, w("a.bias"));
      return sum(relu(y), [2, 3]);
    },
  },
  "a weight that is joined, cut, padded, repeated, averaged and looked up": {
    row: [6],
    classes: 4,
    weights: drawn({ "a.part": [1, 6], "b.part": [2, 6], "c.table": [3, 2], "d.row": [1, 4] }),
    logits(x, w) {
      const joined = concat([w("a.part"), w("b.part"), broadcastTo(mean(w("b.part"), [0], true), [2, 6])], 0);
      const cut = slice(pad(joined, [1, 0], [0, 0]), [1, 0], [5, 6], [1, 2]);
      const found = reshape(gather(w("c.table"), constant(indexTensor([2, 0, 2, 1], [2, 2]))), [4, 2]);
      const kernel = concat(
        [
          cut,
          concat(
            [found, sliceAxis(joined, 1, 0, 1)].map((v) => sliceAxis(v, 0, 0, 4)),
            1,
          ),
        ],
        1,
      );
      return add(linear(x, kernel), w("d.row"));
    },
  },
  "a weight that is used twice": {
    row: [4],
    classes: 4,
    weights: drawn({ "a.weight": [4, 4], "a.scale": [1, 4] }),
    logits: (x, w) => mul(linear(relu(linear(x, w("a.weight"))), w("a.weight")), add(w("a.scale"), 1)),
  },
};

const ROWS = 5;
const imagesOf = ({ row }: Network) => random(2, "images").normals(ROWS * sizeOf(row));
const targetsOf = ({ classes }: Network) => {
  const targets = new Float32Array(ROWS * classes);
  for (let i = 0; i < ROWS; i++) targets[i * classes + (i % classes)] = 1;
  return targets;
};

/** Each row's gradients by a program for one row, run once a row. */
async function loop(network: Network, images: Float32Array, targets: Float32Array): Promise<Float32Array[]> {
  const { losses, wrt } = graphOf(network, 1);
  const gradients = grad(sum(losses), wrt);
  const program = await compile({
    outputs: Object.fromEntries(gradients.map((g, i) => [String(i), g])),
    store: createStore(network.weights),
  });
  const out = wrt.map(({ shape }) => new Float32Array(ROWS * sizeOf(shape)));
  for (let row = 0; row < ROWS; row++) {
    const part = (all: Float32Array) => all.subarray((row * all.length) / ROWS, ((row + 1) * all.length) / ROWS);
    const found = await program.run({ images: part(images), targets: part(targets) });
    for (const [i, all] of out.entries()) all.set(found[i]!.data as Float32Array, (row * all.length) / ROWS);
  }
  await program.release();
  return out;
}

const tiny = tinyModel();

function small(kind: string): Model {
  const { family, config, side } = smallModels.find(({ family }) => family.kind === kind)!;
  return family.build(family.config.parse(config), { input: [3, side, side], classes: 4 });
}

function classifierGraph(model: Model, rows: number) {
  const net = trainable({ training: false });
  const logits = net.apply(logitsLayer(model), input("images", [rows, ...model.input]));
  return { losses: crossEntropyRows(logits, input("targets", [rows, model.classes])), wrt: net.trained() };
}

/** Each of four images' gradients of a classifier in evaluation mode are those of a program for one image. */
async function agreeWithLoop(model: Model): Promise<void> {
  const all = classifierGraph(model, 4);
  const one = classifierGraph(model, 1);
  const store = createStore(formulaWeights(weightsOf(model)));
  const outputs = (of: readonly Value[]) => Object.fromEntries(of.map((g, i) => [String(i), g]));
  const program = await compile({ outputs: outputs(perExampleGradients(all.losses, all.wrt)), store });
  const single = await compile({ outputs: outputs(grad(sum(one.losses), one.wrt)), store });
  const images = formulaImages([4, ...model.input]).data;
  const targets = new Float32Array(4 * model.classes);
  for (let i = 0; i < 4; i++) targets[i * model.classes + (i % model.classes)] = 1;
  const found = await program.run({ images, targets });
  const length = sizeOf(model.input);
  for (let row = 0; row < 4; row++) {
    const wanted = await single.run({
      images: images.subarray(row * length, (row + 1) * length),
      targets: targets.subarray(row * model.classes, (row + 1) * model.classes),
    });
    for (const [i, { leaf, shape }] of all.wrt.entries()) {
      const size = sizeOf(shape);
      const got = (found[i]!.data as Float32Array).subarray(row * size, (row + 1) * size);
      const scale = Math.max(...wanted[i]!.data.map(Math.abs));
      expectAllClose(got, wanted[i]!.data, { relative: 1e-3, absolute: 1e-4 * scale }, leaf!.name);
    }
  }
  await program.release();
  await single.release();
}

describe("per-example gradients", () => {
  test.each(Object.entries(networks))("of %s are those of a loop over single examples", async (_name, network) => {
    const { losses, wrt } = graphOf(network, ROWS);
    const gradients = perExampleGradients(losses, wrt);
    const outputs = Object.fromEntries(gradients.map((g, i) => [String(i), g]));
    const program = await compile({
      outputs: { ...outputs, norms: squaredNorms(gradients) },
      store: createStore(network.weights),
    });
    const [images, targets] = [imagesOf(network), targetsOf(network)];
    const found = await program.run({ images, targets });
    const wanted = await loop(network, images, targets);
    for (const [i, { shape, leaf }] of wrt.entries()) {
      expect(gradients[i]!.shape, leaf!.name).toEqual([ROWS, ...shape]);
      expectAllClose(found[i]!.data, wanted[i]!, { relative: 1e-4, absolute: 1e-5 }, leaf!.name);
    }
    const norms = Array.from({ length: ROWS }, (_, row) =>
      wanted.reduce((total, all) => {
        const own = all.subarray((row * all.length) / ROWS, ((row + 1) * all.length) / ROWS);
        return total + own.reduce((n, x) => n + x * x, 0);
      }, 0),
    );
    expectAllClose(found.norms!.data, norms, { relative: 1e-4 });
    await program.release();
  });

  test("of a residual network with batch norms in evaluation mode are those of a loop", () => agreeWithLoop(tiny));

  test.each(["vit_b_16", "swin_t", "maxvit_t"])("of %s are those of a loop", (kind) => agreeWithLoop(small(kind)));

  test.each(smallModels.map(({ family }) => family.kind))("of %s have a rule for each of its weights", (kind) => {
    const { losses, wrt } = classifierGraph(small(kind), 2);
    const shapes = perExampleGradients(losses, wrt).map(({ shape }) => shape);
    expect(shapes).toEqual(wrt.map(({ shape }) => [2, ...shape]));
  });

  test("are refused where an op mixes the examples of a batch", () => {
    const x = input("images", [4, 3]);
    const w = parameter("a.weight", [3, 3]);
    const y = linear(x, w);
    const scale = parameter("n.weight", [3]);
    const normed = batchNormTrain(y, { weight: scale, bias: scale }).y;
    const refused = (losses: Value) => expect(() => perExampleGradients(losses, [w]));
    refused(sum(normed, [1])).toThrow("mixes the examples");
    refused(sum(matmul(y, transpose(y)), [1])).toThrow("mixes the examples");
    refused(sum(sub(y, sum(y, [0], true)), [1])).toThrow("mixes the examples");
  });

  test("are refused where no rule is known, and for a weight that the losses do not depend on", () => {
    const x = input("images", [4, 3]);
    const w = parameter("a.weight", [3, 3]);
    const build = () => perExampleGradients(sum(linear(x, softmax(w)), [1]), [w]);
    expect(build).toThrow(PerExampleError);
    const refusal = new PerExampleError("Softmax at a: no rule");
    expect(refusalOf("mine", refusal)).toEqual(new PerExampleError("mine: Softmax at a: no rule"));
    expect(refusalOf("mine", new RangeError("else"))).toEqual(new RangeError("else"));
    expect(() => perExampleGradients(sum(x, [1]), [w])).toThrow("do not depend on a.weight");
    expect(() => perExampleGradients(sum(linear(x, w)), [w])).toThrow("one loss an example");
  });
});
