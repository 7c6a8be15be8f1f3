import { viewRange } from "../src/attacks/conditional-search.ts";
import { plgMi } from "../src/attacks/plg-mi.ts";
import { input } from "../src/engine/graph.ts";
import { random } from "../src/engine/random.ts";
import { type Shape, sizeOf } from "../src/engine/shape.ts";
import type { StateDict } from "../src/engine/store.ts";
import { type FloatTensor, tensor } from "../src/engine/tensor.ts";
import { initialState } from "../src/models/bind.ts";
import type { WeightSpec } from "../src/models/layer.ts";
import { weightsOf } from "../src/models/model.ts";
import { randomViews, type ViewRange } from "../src/models/random-views.ts";
import { DISCRIMINATOR, firstWeights, GENERATOR, weightsWithPrefix } from "../src/priors/prior.ts";
import { PLG_VIEWS } from "../src/priors/train-plg.ts";
import type { AttackSpec, Classifier, ComputeSpec, GanSpec } from "./case.ts";
import { buildClassifier } from "./steps/model.ts";
import { plgSettings, priorNetworks } from "./steps/prior.ts";
import { TARGET } from "./steps/target.ts";

const SEED = 7;

/** Weights and inputs of a case, drawn from its kind and sizes alone. Both sides read them from one file. */
export function prepare(spec: ComputeSpec): StateDict {
  const draw = (name: string, shape: Shape, kind: "normals" | "uniforms" = "normals"): FloatTensor =>
    tensor(random(SEED, name)[kind](sizeOf(shape)), shape);
  switch (spec.kind) {
    case "train": {
      const images = draw("images", [spec.batch, 3, spec.side, spec.side], "uniforms");
      return { ...classifierState(spec), images, targets: oneHot(spec.batch, spec.classes) };
    }
    case "fisher": {
      return {
        ...classifierState(spec),
        images: draw("images", [spec.batch, 3, spec.side, spec.side], "uniforms"),
        labels: labelsOf(spec),
      };
    }
    case "plg-mi": {
      const { latent, generator } = priorNetworks(spec);
      const prior = weightsWithPrefix(GENERATOR, initialState(generator.weights, SEED));
      const target = weightsWithPrefix(TARGET, classifierState(spec));
      const config = plgMi.config.parse({});
      const names = Array.from({ length: config.augmentations }, (_, i) => `views${i}`);
      const drawn = views(spec, viewRange(config), names);
      return { ...target, ...prior, ...drawn, z: draw("z", [spec.batch, latent]), labels: labelsOf(spec) };
    }
    case "gmi":
    case "kedmi": {
      const latent = priorNetworks(spec).latent;
      const labels = labelsOf(spec);
      const drawn = { z: draw("z", [spec.batch, latent]), noise: draw("noise", [spec.batch, latent]) };
      return { ...weightsWithPrefix(TARGET, classifierState(spec)), ...priorState(spec), ...drawn, labels };
    }
    case "critic":
    case "generator":
      return {
        ...priorState(spec),
        z: draw("z", [spec.batch, priorNetworks(spec).latent]),
        real: draw("real", [spec.batch, 3, spec.side, spec.side], "uniforms"),
        alpha: draw("alpha", [spec.batch, 1, 1, 1], "uniforms"),
      };
    case "plg-critic":
    case "plg-generator": {
      const networks = priorNetworks(spec);
      const { flip } = plgSettings(spec.priorWidth);
      return {
        ...weightsWithPrefix(TARGET, classifierState(spec)),
        ...firstWeights(networks, SEED),
        ...views(spec, { ...PLG_VIEWS, flip }, ["views"]),
        z: draw("z", [spec.batch, networks.latent]),
        real: draw("real", [spec.batch, 3, spec.side, spec.side], "uniforms"),
        wanted: labelsOf(spec),
        realClasses: labelsOf(spec, 1),
      };
    }
    case "evaluate":
    case "epoch":
      return classifierState(spec);
    case "load":
      return {};
  }
}

/** Image bytes of a set of `count` images, one after the other; the same for every set from its start. */
export function* imageBytes(count: number, side: number): Generator<Uint8Array> {
  const length = 3 * side * side;
  const starts = 2 ** 16;
  const noise = Uint8Array.from(random(SEED, "bytes").uniforms(starts + length), (u) => Math.floor(u * 256));
  for (let i = 0; i < count; i++) {
    const from = (i * 7919) % starts;
    yield noise.subarray(from, from + length);
  }
}

/** The class of each of `count` images. */
export function classesOf(count: number, classes: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => i % classes);
}

/** The classes of a batch as numbers [N], each moved on by `shift`. */
function labelsOf({ batch, classes }: { readonly batch: number; readonly classes: number }, shift = 0): FloatTensor {
  return tensor(
    Float32Array.from(classesOf(batch, classes), (label) => (label + shift) % classes),
    [batch],
  );
}

/** One draw of each of the named views of a batch, by the names of what a graph is fed. */
function views(
  { batch, side }: { readonly batch: number; readonly side: number },
  range: ViewRange,
  names: readonly string[],
): StateDict {
  const images = input("images", [batch, 3, side, side]);
  const rng = random(SEED, "views");
  const drawn = names.map((name) => randomViews(images, range, name).draw(rng));
  return Object.fromEntries(
    drawn
      .flatMap((fed) => Object.entries(fed))
      .map(([name, data]) => {
        const edge = Math.sqrt(data.length / batch);
        return [name, tensor(data, [batch, 1, edge, edge])];
      }),
  );
}

function classifierState(spec: Classifier): StateDict {
  return initialState(weightsOf(buildClassifier(spec)), SEED);
}

function priorState(spec: AttackSpec | GanSpec): StateDict {
  const { generator, discriminator } = priorNetworks(spec);
  return {
    ...weightsWithPrefix(GENERATOR, vivid(generator.weights)),
    ...weightsWithPrefix(DISCRIMINATOR, initialState(discriminator.weights, SEED + 1)),
  };
}

/**
 * Generator weights that keep activations of order one. DCGAN's first weights give images that hardly depend on the latent until they
 * are trained: gradients at latents would drown in rounding, and the two sides could not be held against each other.
 */
function vivid(weights: readonly WeightSpec[]): StateDict {
  const first = initialState(weights, SEED);
  return Object.fromEntries(
    weights.map(({ name, shape }) => {
      if (shape.length === 1) return [name, first[name]!];
      // A transposed convolution of stride 2 adds a quarter of its taps for each output.
      const fanIn = shape.length === 2 ? shape[1]! : (shape[0]! * shape[2]! * shape[3]!) / 4;
      const scale = Math.sqrt(2 / fanIn);
      const normals = random(SEED, "generator", name).normals(sizeOf(shape));
      return [
        name,
        tensor(
          normals.map((x) => scale * x),
          shape,
        ),
      ];
    }),
  );
}

function oneHot(rows: number, classes: number): FloatTensor {
  const data = new Float32Array(rows * classes);
  for (const [i, label] of classesOf(rows, classes).entries()) data[i * classes + label] = 1;
  return tensor(data, [rows, classes]);
}
