import { grad } from "../engine/autodiff.ts";
import { parameter, type Value } from "../engine/graph.ts";
import { mul, stopGradient } from "../engine/ops/elementwise.ts";
import { oneHot } from "../engine/ops/movement.ts";
import { sum } from "../engine/ops/reduce.ts";
import { type OptimizerPlan, optimizerState, optimizerUpdates } from "../engine/optimizer.ts";
import { random } from "../engine/random.ts";
import { createStore, type StateDict, type Store } from "../engine/store.ts";
import { filled, tensor } from "../engine/tensor.ts";
import { randomViews } from "../models/random-views.ts";
import { forAllLayers } from "../priors/style-networks.ts";
import type { Between } from "../priors/synthesis-parts.ts";
import { fixedPrior, stylesOf } from "../priors/synthesize.ts";
import type { AttackRun, Reconstructions } from "./attack.ts";
import { type IdentityLossKind, identityLossRows } from "./identity-loss.ts";
import { projectOntoL1Balls } from "./l1-ball.ts";
import { labelInput, type Phase, rowsFrom, runSearch } from "./search.ts";

/** The settings of an attack that a search among features reads. */
interface FeatureSettings {
  readonly iterations: number;
  readonly featureIterations: number;
  readonly batch: number;
  readonly identityLoss: IdentityLossKind;
  readonly crop: number;
}

/**
 * Gradient steps on styles of a StyleGAN2 (one for all layers), then on styles and the features before its second block, then before its
 * third, and so on: a stage for each radius, which is that of the L1 ball around where the stage begins. Gives the images that the last
 * stage ends with, [rows, C·H·W].
 */
export async function searchFeatures(
  { target, prior, space, config: c, seed, work }: AttackRun<FeatureSettings, "white-box", "stylegan">,
  search: {
    readonly name: string;
    /** The first styles, rows of the space, and the class that each is attacked for. */
    readonly first: Reconstructions;
    /** One for each stage; no more than the generator has blocks. */
    readonly radii: readonly number[];
    readonly optimizer: Omit<OptimizerPlan, "name">;
  },
): Promise<Float32Array> {
  const { name, first, radii, optimizer } = search;
  const { labels } = first;
  const batch = Math.min(c.batch, labels.length);
  const shape = [batch, space.width];
  const { count } = stylesOf(prior.networks);
  const { through, synthesizeFrom } = fixedPrior(prior);
  const styles = parameter("styles", shape);
  const perLayer = forAllLayers(styles, count);
  const wanted = oneHot(labelInput(batch), target.classes);
  const range = { scale: [c.crop, 1], ratio: [1, 1], flip: 0 } as const;
  /** What the store holds at first, beside the styles: where each stage will have begun, its features, and its optimiser's slots. */
  const held: Record<string, StateDict[string]> = { "styles/centre": filled(shape, 0) };
  let draw: ReturnType<typeof randomViews>["draw"] | undefined;

  const stage = (number: number, radius: number, before: Between | undefined): Phase => {
    const variables = before === undefined ? [styles] : [styles, before.features];
    const seen = randomViews(synthesizeFrom(number, before, perLayer), range);
    draw = seen.draw;
    const identity = sum(identityLossRows(c.identityLoss, target.logits(seen.images), wanted));
    const plan = { name: `optimizer/${number}`, ...optimizer };
    Object.assign(held, optimizerState(plan, variables));
    return {
      iterations: number === 0 ? c.iterations : c.featureIterations,
      // A sum keeps candidates apart from how many others there are.
      outputs: { loss: identity, identity: mul(identity, 1 / batch) },
      updates: optimizerUpdates(plan, variables, grad(identity, variables)),
      enter: { "styles/centre": stopGradient(styles) },
      held(store) {
        for (const variable of variables) holdNear(store, variable, radius);
      },
    };
  };

  const phases: Phase[] = [];
  let before: Between | undefined;
  for (const [number, radius] of radii.entries()) {
    const left = number === 0 ? undefined : through(number - 1, before, perLayer);
    before = left && stored(`block${number}`, left);
    const entered = before && left ? entering(before, left) : {};
    for (const [key, v] of Object.entries(entered)) held[key] = filled(v.shape, 0);
    const phase = stage(number, radius, before);
    phases.push({ ...phase, enter: { ...phase.enter, ...entered } });
  }
  const [one, ...later] = phases as [Phase, ...Phase[]];
  held.images = filled([batch, ...target.image], 0);

  const start = (from: number): StateDict => ({
    ...held,
    styles: tensor(rowsFrom(first.rows, space.width, from, batch), shape),
  });
  const found = await runSearch({
    ...one,
    later,
    work,
    target,
    name,
    rows: labels.length,
    batch,
    store: createStore(start(0)),
    start,
    finish: { images: synthesizeFrom(radii.length - 1, before, perLayer) },
    results: ["images"],
    variables: ["styles", ...(before ? [before.features.leaf!.name] : [])],
    feeds: (from, iteration) => draw!(random(seed, name, from, iteration)),
    label: (row) => labels[row]!,
  });
  return found.images!;
}

/** What a block hands on, as tensors of the store that the next stage starts from. */
function stored(name: string, { features, image }: Between): Between {
  return {
    features: parameter(`${name}/features`, features.shape),
    ...(image && { image: parameter(`${name}/image`, image.shape) }),
  };
}

/** The first values of those, and of the centre of the features' ball. */
function entering(before: Between, left: Between): Record<string, Value> {
  const name = before.features.leaf!.name;
  return {
    [name]: left.features,
    [centreOf(name)]: left.features,
    ...(before.image && left.image && { [before.image.leaf!.name]: left.image }),
  };
}

const centreOf = (name: string) => `${name}/centre`;

/** Brings each row of a variable into the ball around its centre. */
function holdNear(store: Store, variable: Value, radius: number): void {
  const { name } = variable.leaf as { name: string };
  const rows = store.get(name).data;
  projectOntoL1Balls(rows, store.get(centreOf(name)).data, rows.length / variable.shape[0]!, radius);
}
