import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { evaluate } from "../../test/support/evaluate.ts";
import { memorySet } from "../data/memory-set.ts";
import { UserError } from "../engine/errors.ts";
import { constant, input } from "../engine/graph.ts";
import { mul, square } from "../engine/ops/elementwise.ts";
import { sum } from "../engine/ops/reduce.ts";
import { random } from "../engine/random.ts";
import { setThreads } from "../engine/runtime.ts";
import { encodeSafetensors } from "../engine/safetensors.ts";
import type { StateDict } from "../engine/store.ts";
import { tensor } from "../engine/tensor.ts";
import { unwatched } from "../engine/work.ts";
import { fixed, initialState } from "../models/bind.ts";
import { GENERATOR, weightsUnder, weightsWithPrefix } from "./prior.ts";
import { minibatchDeviation } from "./style-networks.ts";
import { stylegan } from "./stylegan.ts";
import { fixedPrior, synthesize } from "./synthesize.ts";
import { logisticLoss, squaredSlope } from "./train-stylegan.ts";

setThreads(1);

const SIZES = { latent: 6, style: 5, mappingLayers: 2, width: 4, maxWidth: 12 } as const;
const shape = { image: [3, 16, 16], classes: 0 } as const;
const images = (bytes: Uint8Array, count: number) =>
  memorySet({
    name: "images",
    channels: 3,
    height: 16,
    width: 16,
    classes: ["all"],
    labels: new Int32Array(count),
    bytes,
  });

/** Random weights, with biases, averages and noise that show. */
function vivid(generator: { weights: Parameters<typeof initialState>[0] }): StateDict {
  return Object.fromEntries(
    Object.entries(initialState(generator.weights, 7)).map(([name, t]) => [
      name,
      /bias|w_avg|strength/.test(name) ? { ...t, data: t.data.map((v, i) => v + 0.2 * Math.sin(i + 1)) } : t,
    ]),
  );
}

test("tensors have the names that they have in NVIDIA's networks", () => {
  const { generator, discriminator } = stylegan.networks(stylegan.config.parse(SIZES), shape);
  const layer = (path: string) =>
    ["affine.weight", "affine.bias", "weight", "noise_strength", "bias", "noise_const"].map((n) => `${path}.${n}`);
  const rgb = (path: string) => ["affine.weight", "affine.bias", "weight", "bias"].map((n) => `${path}.${n}`);
  expect(generator.weights.map(({ name }) => name).toSorted()).toEqual(
    [
      "mapping.w_avg",
      ...[0, 1].flatMap((i) => [`mapping.fc${i}.weight`, `mapping.fc${i}.bias`]),
      "synthesis.b4.const",
      ...layer("synthesis.b4.conv1"),
      ...[4, 8, 16].flatMap((side) => rgb(`synthesis.b${side}.torgb`)),
      ...[8, 16].flatMap((side) => [...layer(`synthesis.b${side}.conv0`), ...layer(`synthesis.b${side}.conv1`)]),
    ].toSorted(),
  );
  const shapes = Object.fromEntries(generator.weights.map(({ name, shape: s }) => [name, s]));
  expect(shapes["synthesis.b4.const"]).toEqual([12, 4, 4]);
  expect(shapes["synthesis.b8.conv0.weight"]).toEqual([8, 12, 3, 3]);
  expect(shapes["synthesis.b16.conv1.affine.weight"]).toEqual([4, 5]);
  expect(shapes["synthesis.b16.torgb.weight"]).toEqual([3, 4, 1, 1]);
  expect(shapes["synthesis.b16.conv0.noise_strength"]).toEqual([]);
  expect(discriminator.weights.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      "b16.fromrgb.weight",
      "b16.conv0.weight",
      "b8.conv1.bias",
      "b8.skip.weight",
      "b4.conv.weight",
      "b4.fc.bias",
      "b4.out.weight",
    ]),
  );
});

test("styles come of normalised latents, and go towards their average by ψ", async () => {
  const networks = stylegan.networks(stylegan.config.parse(SIZES), shape);
  const state = vivid(networks.generator);
  const { style } = fixedPrior({ kind: "stylegan", networks, state: weightsWithPrefix(GENERATOR, state) });
  const z = random(1, "z").normals(2 * 6);
  const value = input("z", [2, 6]);
  const leaky = (v: number) => Math.SQRT2 * (v < 0 ? 0.2 * v : v);
  const byHand = (psi: number) =>
    [0, 1].flatMap((n) => {
      const row = [...z.subarray(n * 6, (n + 1) * 6)];
      const root = Math.sqrt(row.reduce((s, v) => s + v * v, 0) / 6 + 1e-8);
      let x = row.map((v) => v / root);
      for (const i of [0, 1]) {
        const [weight, bias] = [state[`mapping.fc${i}.weight`]!, state[`mapping.fc${i}.bias`]!];
        const from = weight.shape[1]!;
        x = [...bias.data].map((b, k) =>
          leaky(x.reduce((s, v, j) => s + (v * weight.data[k * from + j]! * 0.01) / Math.sqrt(from), b * 0.01)),
        );
      }
      const average = state["mapping.w_avg"]!.data;
      return x.map((v, k) => average[k]! + psi * (v - average[k]!));
    });
  for (const psi of [1, 0.5, 0])
    expectAllClose(
      await evaluate(style(value, psi), { z }),
      byHand(psi),
      { relative: 1e-4, absolute: 1e-5 },
      `ψ ${psi}`,
    );
});

test("an image has a style for each layer, and the same for all is that of its latent", async () => {
  const networks = stylegan.networks(stylegan.config.parse(SIZES), shape);
  const prior = { kind: "stylegan", networks, state: weightsWithPrefix(GENERATOR, vivid(networks.generator)) };
  const { synthesize: of, style, synthesizeStyles } = fixedPrior(prior);
  expect(networks.styles).toMatchObject({ length: 5, count: 6 });
  const z = random(2, "z").normals(6);
  const image = await evaluate(of(input("z", [1, 6])), { z });
  const w = await evaluate(style(input("z", [1, 6]), 1), { z });
  const all = Float32Array.from({ length: 6 * 5 }, (_, i) => w[i % 5]!);
  const styles = input("styles", [1, 6, 5]);
  expectAllClose(await evaluate(synthesizeStyles(styles), { styles: all }), [...image], { absolute: 1e-5 });
  for (let layer = 0; layer < 6; layer++) {
    const changed = all.map((v, i) => (Math.floor(i / 5) === layer ? v + 1 : v));
    expect(await evaluate(synthesizeStyles(styles), { styles: changed }), `layer ${layer}`).not.toEqual(image);
  }
});

test("block by block it makes the image that it makes at once", async () => {
  const networks = stylegan.networks(stylegan.config.parse(SIZES), shape);
  const prior = { kind: "stylegan", networks, state: weightsWithPrefix(GENERATOR, vivid(networks.generator)) };
  const { through, synthesizeFrom, synthesizeStyles } = fixedPrior(prior);
  const styles = input("styles", [2, 6, 5]);
  const fed = { styles: random(4, "styles").normals(2 * 6 * 5) };
  const whole = await evaluate(synthesizeStyles(styles), fed);
  const first = through(0, undefined, styles);
  const second = through(1, first, styles);
  expect(networks.styles!.parts.blocks.length).toBe(3);
  expect([first.features.shape, second.features.shape, second.image!.shape]).toEqual([
    [2, 12, 4, 4],
    [2, 8, 8, 8],
    [2, 3, 8, 8],
  ]);
  const froms = [
    synthesizeFrom(0, undefined, styles),
    synthesizeFrom(1, first, styles),
    synthesizeFrom(2, second, styles),
  ];
  for (const [block, image] of froms.entries())
    expectAllClose(await evaluate(image, fed), [...whole], { absolute: 1e-5 }, `from block ${block}`);
});

test("the deviation of a group is one more channel, the same for its images", async () => {
  const [n, c, side] = [8, 2, 2];
  const x = random(3, "x").normals(n * c * side * side);
  const got = await evaluate(minibatchDeviation(input("x", [n, c, side, side])), { x });
  const length = c * side * side;
  // Images n and n + 2, n + 4, n + 6 are a group.
  const deviation = [0, 1].map((group) => {
    const members = [0, 1, 2, 3].map((i) => x.subarray((group + 2 * i) * length, (group + 2 * i + 1) * length));
    let total = 0;
    for (let at = 0; at < length; at++) {
      const values = members.map((m) => m[at]!);
      const mean = values.reduce((a, b) => a + b, 0) / 4;
      total += Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / 4 + 1e-8);
    }
    return total / length;
  });
  const wanted = Array.from({ length: n }, (_, i) => [
    ...x.subarray(i * length, (i + 1) * length),
    ...Array<number>(side * side).fill(deviation[i % 2]!),
  ]).flat();
  expectAllClose(got, wanted, { relative: 1e-5 });
});

test("logistic loss and squared slope as by hand", async () => {
  const softplus = (v: number) => Math.log(1 + Math.exp(v));
  const [real, fake] = [Float32Array.of(2, -1), Float32Array.of(0.5, -3)];
  const loss = logisticLoss(input("real", [2]), input("fake", [2]));
  expectAllClose(
    await evaluate(loss, { real, fake }),
    [(softplus(0.5) + softplus(-3)) / 2 + (softplus(-2) + softplus(1)) / 2],
    { relative: 1e-5 },
  );
  // D(x) = Σ a·x²: ‖2·a·x‖²
  const a = constant(tensor([1, 2, 3, 4], [1, 2, 2]));
  const x = input("x", [2, 1, 2, 2]);
  const data = Float32Array.of(1, 0, 1, 2, 0, 3, 0, 1);
  const slope = (row: readonly number[]) => row.reduce((s, v, i) => s + (2 * (i + 1) * v) ** 2, 0);
  expectAllClose(
    await evaluate(squaredSlope(x, sum(mul(square(x), a), [1, 2, 3])), { x: data }),
    [(slope([1, 0, 1, 2]) + slope([0, 3, 0, 1])) / 2],
    { relative: 1e-5 },
  );
});

test("learns what the public images look like", async () => {
  const [count, pixels] = [96, 256];
  const rng = random(1, "colours");
  const bytes = Uint8Array.from({ length: count * 3 * pixels }, (_, at) => {
    const own = Math.floor(at / pixels) % 3 === Math.floor(at / (3 * pixels)) % 3;
    return (own ? 200 : 60) + Math.floor(30 * rng.uniform());
  });
  /** Share of images with one bright channel and two dark ones. */
  const clear = async (steps: number) => {
    const settings = stylegan.config.parse({
      ...SIZES,
      width: 8,
      maxWidth: 32,
      steps,
      batch: 16,
      lazy: 4,
      average: 0.9,
    });
    const state = await stylegan.train({
      settings,
      shape,
      images: images(bytes, count),
      target: undefined,
      seed: 5,
      work: unwatched,
    });
    const made = await synthesize(
      { kind: "stylegan", networks: stylegan.networks(settings, shape), state },
      random(2, "z").normals(60 * 6),
    );
    const right = Array.from({ length: 60 }, (_, i) => {
      const means = [0, 1, 2].map(
        (c) => made.subarray((i * 3 + c) * pixels, (i * 3 + c + 1) * pixels).reduce((a, b) => a + b, 0) / pixels,
      );
      return means.filter((m) => m > 0.6).length === 1 && means.filter((m) => m < 0.45).length === 2;
    });
    return right.filter(Boolean).length / 60;
  };
  expect(await clear(200)).toBeGreaterThan((await clear(1)) + 0.3);
});

describe("a generator from a file", () => {
  let scratch = "";
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), "stylegan-"));
  });
  afterAll(() => rm(scratch, { recursive: true }));
  const generator = stylegan.networks(stylegan.config.parse(SIZES), shape).generator;
  const tensors = vivid(generator);
  const filters = { "synthesis.b8.conv0.resample_filter": tensor(new Float32Array(16), [4, 4]) };
  const read = async (state: StateDict, change: object = {}, side = 16) => {
    const file = join(scratch, "g.safetensors");
    await writeFile(file, encodeSafetensors(state));
    const settings = stylegan.config.parse({ ...SIZES, checkpoint: { file, side: 16, ...change } });
    const asked = { image: [3, side, side], classes: 0 } as const;
    const prior = await stylegan.train({
      settings,
      shape: asked,
      images: images(new Uint8Array(0), 0),
      target: undefined,
      seed: 1,
      work: unwatched,
    });
    return { kind: "stylegan", networks: stylegan.networks(settings, asked), state: prior };
  };

  test("makes the images that its weights make, and is not trained", async () => {
    const prior = await read({ ...tensors, ...filters });
    expect(weightsUnder(GENERATOR, prior.state)).toEqual(tensors);
    const z = random(3, "z").normals(2 * 6);
    const wanted = await evaluate(fixed(tensors).apply(generator, input("z", [2, 6])), { z });
    expectAllClose(await synthesize(prior, z), [...wanted], { absolute: 1e-5 });
  });

  test("shows the target the middle of its images, at the target's size", async () => {
    const z = random(3, "z").normals(6);
    const wide = await synthesize(await read(tensors), z);
    // A crop of 8 to 16 pixels enlarges; that of the whole to 16 leaves all as it is.
    expectAllClose(await synthesize(await read(tensors, { crop: 16 }), z), [...wide], { absolute: 1e-6 });
    const cropped = await synthesize(await read(tensors, { crop: 8 }), z);
    const at = (image: Float32Array, row: number, column: number) => image[row * 16 + column]!;
    // Pixel 5 of the enlarged crop lies a quarter of the way from pixel 2 to pixel 3 of it.
    const blend = (a: number, b: number) => 0.75 * a + 0.25 * b;
    const rows = [6, 7].map((row) => blend(at(wide, row, 6), at(wide, row, 7)));
    expectAllClose([at(cropped, 5, 5)], [blend(rows[0]!, rows[1]!)], { absolute: 1e-5 });
  });

  test.each<[string, StateDict, object, RegExp]>([
    [
      "a missing tensor",
      Object.fromEntries(Object.entries(tensors).slice(1)),
      {},
      /tensor mapping\.fc0\.weight of shape \[5, 6\] is missing/,
    ],
    [
      "a strange tensor",
      { ...tensors, "synthesis.b32.conv0.weight": tensor([1], [1]) },
      {},
      /synthesis\.b32\.conv0\.weight has no place/,
    ],
    [
      "another shape",
      { ...tensors, "mapping.w_avg": tensor([1, 2], [2]) },
      {},
      /mapping\.w_avg has shape \[2\], .* has \[5\]/,
    ],
    [
      "another file than was planned",
      tensors,
      { sha256: "0".repeat(64) },
      /is another file than the study was planned/,
    ],
    ["a crop that does not fit", tensors, { crop: 20 }, /a crop of 20 does not fit/],
    [
      "a file that is not there",
      tensors,
      { file: "/nowhere/g.safetensors" },
      /g\.safetensors: cannot be read \(ENOENT\)/,
    ],
  ])("%s is the user's mistake", async (_, state, change, message) => {
    const refused = await read(state, change).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(UserError);
    expect(refused).toMatchObject({ message: expect.stringMatching(message) });
  });
});
