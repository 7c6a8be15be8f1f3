import { expect, test } from "vitest";
import { evaluate } from "../../test/support/evaluate.ts";
import { constant } from "../engine/graph.ts";
import { random } from "../engine/random.ts";
import { setThreads } from "../engine/runtime.ts";
import { tensor } from "../engine/tensor.ts";
import { fixed, initialState } from "../models/bind.ts";
import { conv, flatten, sequential } from "../models/layers.ts";
import { featureLayer, type Model, weightsOf } from "../models/model.ts";
import { perceptualEmbedding, perceptualStages } from "./perceptual-embedding.ts";

setThreads(1);

/** Three stages in two groups: of the first group only the last stage counts. */
const model: Model = {
  kind: "two groups",
  stages: [
    { name: "block1.conv1", layer: conv("a", 1, 2, 3, { padding: 1 }) },
    { name: "block1.conv2", layer: conv("b", 2, 3, 3, { padding: 1 }) },
    { name: "block2", layer: sequential(conv("c", 3, 2, 3), flatten) },
  ],
  head: sequential(),
  features: 8,
  classes: 2,
  input: [1, 4, 4],
};
const state = initialState(weightsOf(model), 1);
const images = random(1, "images").uniforms(2 * 16);

test("squared distances are LPIPS without weights, averaged over the last stage of each group", async () => {
  expect(perceptualStages(model)).toEqual(["block1.conv2", "block2"]);
  const input = constant(tensor(images, [2, 1, 4, 4]));
  const embedding = (await evaluate(perceptualEmbedding(model, state, input))) as Float32Array;
  const width = embedding.length / 2;
  expect(width).toBe(3 * 16 + 8);
  let squared = 0;
  for (let i = 0; i < width; i++) squared += (embedding[i]! - embedding[width + i]!) ** 2;

  const net = fixed(state);

  net.apply(featureLayer(model), input);
  const deep = (await evaluate(net.observed["block1.conv2"]!)) as Float32Array;
  const flat = (await evaluate(net.observed.block2!)) as Float32Array;
  // At each place the vector over channels, scaled to length 1.
  const unit = (x: Float32Array, image: number, channels: number, places: number, place: number) => {
    const v = Array.from({ length: channels }, (_, c) => x[(image * channels + c) * places + place]!);
    const length = Math.hypot(...v);
    return v.map((a) => a / length);
  };
  const layer = (x: Float32Array, channels: number, places: number) => {
    let sum = 0;
    for (let place = 0; place < places; place++) {
      const [a, b] = [unit(x, 0, channels, places, place), unit(x, 1, channels, places, place)];
      sum += a.reduce((d, v, c) => d + (v - b[c]!) ** 2, 0);
    }
    return sum / places;
  };
  expect(squared).toBeCloseTo((layer(deep, 3, 16) + layer(flat, 8, 1)) / 2, 5);
});

test("activations that are all zero stay zero", async () => {
  const silent = Object.fromEntries(
    Object.entries(state).map(([name, t]) => [name, tensor(new Float32Array(t.data.length), t.shape)]),
  );
  const embedding = await evaluate(perceptualEmbedding(model, silent, constant(tensor(images, [2, 1, 4, 4]))));
  expect([...embedding].every((x) => x === 0)).toBe(true);
});
