import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { grad } from "../src/engine/autodiff.ts";
import { constant, input, type Value } from "../src/engine/graph.ts";
import { add, mul, square, sub } from "../src/engine/ops/elementwise.ts";
import { crossEntropy, crossEntropyRows } from "../src/engine/ops/loss.ts";
import { oneHot } from "../src/engine/ops/movement.ts";
import { mean, norm2, sum } from "../src/engine/ops/reduce.ts";
import { optimizerState, optimizerUpdates, sgd } from "../src/engine/optimizer.ts";
import { compile } from "../src/engine/runtime.ts";
import { decodeSafetensors } from "../src/engine/safetensors.ts";
import { constantRate } from "../src/engine/schedule.ts";
import { createStore, type StateDict } from "../src/engine/store.ts";
import { filled, type Tensor, tensor } from "../src/engine/tensor.ts";
import { fixed, trainable } from "../src/models/bind.ts";
import type { Layer } from "../src/models/layer.ts";
import {
  batchNorm,
  conv,
  convTranspose,
  instanceNorm,
  leakyRelu,
  relu,
  reshape,
  sequential,
  tanh,
} from "../src/models/layers.ts";
import { logitsLayer, splitAt } from "../src/models/model.ts";
import { buildResNet } from "../src/models/resnet.ts";

// PyTorch's own values (float64, stored as float32) for whole steps; golden/README.md says how they were made.

const TOLERANCE = 1e-4;

async function golden(name: string): Promise<(group: string) => StateDict> {
  const file = new URL(`./golden/${name}.safetensors`, import.meta.url);
  const { tensors } = decodeSafetensors(await readFile(file), name);
  return (group) =>
    Object.fromEntries(
      Object.entries(tensors)
        .filter(([key]) => key.startsWith(`${group}/`))
        .map(([key, t]) => [key.slice(group.length + 1), t]),
    );
}

/** ‖got − wanted‖ / ‖wanted‖ */
function relativeError(got: Tensor, wanted: Tensor): number {
  let [difference, size] = [0, 0];
  for (const [i, w] of wanted.data.entries()) {
    difference += (got.data[i]! - w) ** 2;
    size += w ** 2;
  }
  return Math.sqrt(difference / Math.max(size, 1e-30));
}

function expectClose(got: Readonly<Record<string, Tensor>>, wanted: StateDict, what: string): void {
  for (const [name, w] of Object.entries(wanted)) {
    expect(got[name]?.data.length, `${what} ${name} is there`).toBe(w.data.length);
    expect(relativeError(got[name]!, w), `${what} ${name}`).toBeLessThan(TOLERANCE);
  }
}

const labels = (t: Tensor) => Int32Array.from(t.data);

const resnet = buildResNet("golden", [2, 2, 2, 2], [8, 16, 24, 32], "imagenet", { input: [3, 64, 64], classes: 10 });

/**
 * The first step in both layouts; three in the standard one, whose rounding decides the same way as PyTorch's where the first layers'
 * largest of a pool or the sign before a ReLU hangs on the last digit, which becomes likely from step to step.
 */
async function trainThreeSteps(name: string, boundary: string | null): Promise<void> {
  for (const layout of ["fastest", "standard"] as const) await trainSteps(name, boundary, layout);
}

async function trainSteps(name: string, boundary: string | null, layout: "fastest" | "standard"): Promise<void> {
  const group = await golden(name);
  const initial = group("param");
  const { frozen, rest } = splitAt(resnet, boundary);
  const { x, y } = group("input") as { x: Tensor; y: Tensor };
  const images = input("x", x.shape);
  const trained = trainable({ training: true });
  const logits = trained.apply(rest, fixed(initial).apply(frozen, images));
  const loss = crossEntropy(logits, oneHot(input("y", [8], "int32"), 10));
  const weights = trained.trained();
  const gradients = grad(loss, weights);
  const plan = {
    name: "optimizer",
    optimizer: sgd({ momentum: 0.9, weightDecay: 1e-4 }),
    rate: constantRate(0.05),
  };
  const store = createStore(Object.fromEntries(rest.weights.map((s) => [s.name, initial[s.name]!])));
  store.add(optimizerState(plan, weights));
  const named = Object.fromEntries(weights.map((w, i) => [w.leaf!.name, gradients[i]!]));
  const program = await compile({
    outputs: { logits, loss, ...named },
    updates: { ...trained.updates, ...optimizerUpdates(plan, weights, gradients) },
    store,
    layout,
  });
  const feeds = { x: x.data, y: labels(y) };
  const first = await program.run(feeds);
  expectClose(first, group("output"), "output");
  expectClose(first, group("grad"), "gradient");
  if (layout === "standard") {
    await program.run(feeds);
    await program.run(feeds);
    expectClose({ ...initial, ...store.snapshot() }, group("step3"), "after three steps");
  }
  await program.release();
}

test("a ResNet training step agrees with PyTorch in every gradient, statistic and updated weight", () =>
  trainThreeSteps("resnet-step", null));

test("a step with a frozen prefix agrees with PyTorch and leaves the prefix alone", () =>
  trainThreeSteps("resnet-frozen-step", "layer3"));

/** `make.py`'s generator: its layers are numbered as in an nn.Sequential */
function generator(path: string, latent: number, width: number): Layer {
  const channels = [latent, width * 8, width * 4, width * 2, width, 3];
  const layers = channels.slice(1).flatMap((to, i) => {
    const step = i === 0 ? { stride: 1, padding: 0 } : { stride: 2, padding: 1 };
    const up = convTranspose(`${path}${i * 3}`, channels[i]!, to, 4, { ...step, bias: false });
    return i < 4 ? [up, batchNorm(`${path}${i * 3 + 1}`, to), relu] : [up];
  });
  return sequential(reshape([latent, 1, 1]), ...layers, tanh);
}

test("the gradient at a latent through generator and classifier agrees with PyTorch", async () => {
  const group = await golden("inversion");
  const all = group("param");
  const under = (prefix: string): StateDict =>
    Object.fromEntries(
      Object.entries(all)
        .filter(([k]) => k.startsWith(prefix))
        .map(([k, t]) => [k.slice(2), t]),
    );
  const { z, y } = group("input") as { z: Tensor; y: Tensor };
  const latent = input("z", z.shape);
  const images = fixed(under("G.")).apply(generator("", 16, 8), latent);
  const logits = fixed(under("T.")).apply(logitsLayer(resnet), images);
  const loss = sum(crossEntropyRows(logits, oneHot(input("y", [6], "int32"), 10)));
  const [gz] = grad(loss, [latent]);
  const program = await compile({ outputs: { images, logits, loss, z: gz! } });
  const got = await program.run({ z: z.data, y: labels(y) });
  expectClose(got, group("output"), "output");
  expectClose(got, group("grad"), "gradient");
  await program.release();
});

const critic = sequential(
  conv("0", 3, 8, 5, { stride: 2, padding: 2 }),
  leakyRelu(0.2),
  conv("2", 8, 16, 5, { stride: 2, padding: 2, bias: false }),
  instanceNorm("3", 16),
  leakyRelu(0.2),
  conv("5", 16, 32, 5, { stride: 2, padding: 2, bias: false }),
  instanceNorm("6", 32),
  leakyRelu(0.2),
  conv("8", 32, 1, 4, { bias: false }),
);

test("a WGAN-GP critic step, a gradient of a gradient, agrees with PyTorch", async () => {
  const group = await golden("wgan-gp");
  const inputs = group("input") as Record<"real" | "fake" | "alpha", Tensor>;
  const real = input("real", inputs.real.shape);
  const fake = input("fake", inputs.fake.shape);
  const alpha = input("alpha", inputs.alpha.shape);
  const net = trainable({ training: true });
  const score = (x: Value) => net.apply(critic, x);
  const mixed = add(mul(alpha, real), mul(sub(1, alpha), fake));
  const [slope] = grad(sum(score(mixed)), [mixed]);
  const penalty = mean(square(sub(norm2(slope!, [1, 2, 3]), 1)));
  const loss = add(sub(mean(score(fake)), mean(score(real))), mul(penalty, 10));
  const weights = net.trained();
  const gradients = grad(loss, weights);
  const store = createStore(group("param"));
  const program = await compile({
    outputs: { penalty, loss, ...Object.fromEntries(weights.map((w, i) => [w.leaf!.name, gradients[i]!])) },
    store,
  });
  const got = await program.run({ real: inputs.real.data, fake: inputs.fake.data, alpha: inputs.alpha.data });
  expectClose(got, group("output"), "output");
  expectClose(got, group("grad"), "gradient");
  await program.release();
});

test("the comparison tells a tensor that is off by a thousandth", () => {
  const wanted = filled([10], 1);
  expect(
    relativeError(
      tensor(
        wanted.data.map((x) => x * 1.001),
        [10],
      ),
      wanted,
    ),
  ).toBeGreaterThan(TOLERANCE);
  expect(constant(wanted).shape).toEqual([10]);
});
