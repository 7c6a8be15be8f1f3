import { expect, test } from "vitest";
import { evaluate } from "../../test/support/evaluate.ts";
import { constant, input } from "../engine/graph.ts";
import { setThreads } from "../engine/runtime.ts";
import { tensor } from "../engine/tensor.ts";
import { fixed, initialState, trainable } from "../models/bind.ts";
import { vgg16Bn } from "../models/vgg.ts";
import { gaussianInformation, mid } from "./mid.ts";

setThreads(1);

test("the bottleneck's information is the Kullback–Leibler divergence from a standard normal distribution", async () => {
  const [means, deviations] = [
    [0, 1.5, -0.5, 0.2],
    [1, 0.4, 2, 0.05],
  ];
  // ∫ p·ln(p/q) by the midpoint rule.
  const density = (x: number, m: number, s: number) =>
    Math.exp(-0.5 * ((x - m) / s) ** 2) / (s * Math.sqrt(2 * Math.PI));
  const divergence = (m: number, s: number) => {
    const step = s / 500;
    let total = 0;
    for (let i = -5000; i < 5000; i++) {
      const x = m + (i + 0.5) * step;
      total += step * density(x, m, s) * Math.log(density(x, m, s) / density(x, 0, 1));
    }
    return total;
  };
  const wanted = means!.reduce((sum, m, i) => sum + divergence(m, deviations![i]!), 0) / 2;
  const [centre, deviation] = [means!, deviations!].map((data) => constant(tensor(data, [2, 2])));
  const [found] = await evaluate(gaussianInformation(centre!, deviation!));
  expect(found!).toBeCloseTo(wanted, 4);
});

test("a deviation that underflows leaves the information finite", async () => {
  const [found] = await evaluate(gaussianInformation(constant(tensor([0], [1, 1])), constant(tensor([0], [1, 1]))));
  expect(Number.isFinite(found)).toBe(true);
});

test("training draws from the bottleneck, the trained model hands on its mean", async () => {
  const plain = vgg16Bn.build(vgg16Bn.config.parse({ width: 4 }), { input: [3, 32, 32], classes: 3 });
  const model = mid.reshape!.model(mid.config.parse({}), plain);
  // The batch norm of the field's VGG16 stays in front.
  expect(model.head.weights.map((w) => w.name)).toEqual([
    ...["weight", "bias", "running_mean", "running_var"].map((part) => `bn.${part}`),
    ...["bottleneck.weight", "bottleneck.bias", "fc.weight", "fc.bias"],
  ]);
  expect(model.head.weights.find((w) => w.name === "bottleneck.weight")!.shape).toEqual([32, 32]);
  const features = input("x", [2, 32]);
  expect(Object.keys(fixedHead(model.head, features).noises)).toEqual([]);
  const training = trainable({ training: true });
  training.apply(model.head, features);
  expect(training.noises.bottleneck!.shape).toEqual([2, 16]);
});

function fixedHead(head: Parameters<ReturnType<typeof fixed>["apply"]>[0], x: ReturnType<typeof input>) {
  const net = fixed(initialState(head.weights, 1));
  net.apply(head, x);
  return net;
}
