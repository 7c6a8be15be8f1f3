import { grad } from "../engine/autodiff.ts";
import { parameter, type Value } from "../engine/graph.ts";
import { mul } from "../engine/ops/elementwise.ts";
import { oneHot, reshape } from "../engine/ops/movement.ts";
import { sum } from "../engine/ops/reduce.ts";
import { type OptimizerPlan, optimizerState, optimizerUpdates } from "../engine/optimizer.ts";
import { random } from "../engine/random.ts";
import { createStore } from "../engine/store.ts";
import { tensor } from "../engine/tensor.ts";
import { randomViews } from "../models/random-views.ts";
import { forAllLayers } from "../priors/style-networks.ts";
import { fixedPrior, stylesOf } from "../priors/synthesize.ts";
import { type Align, alignedRows } from "./align.ts";
import { logAlignment } from "./alignment-log.ts";
import type { AttackRun, Reconstructions } from "./attack.ts";
import { selectFinal } from "./final-selection.ts";
import { type IdentityLossKind, identityLossRows } from "./identity-loss.ts";
import { labelInput, rowsFrom, runSearch } from "./search.ts";

/** The settings of an attack that a search among styles reads. */
interface StyleSettings {
  readonly iterations: number;
  readonly batch: number;
  readonly styles: "w" | "w+";
  readonly identityLoss: IdentityLossKind;
  readonly views: number;
  /** Probability of a mirrored view in the final selection. */
  readonly flip?: number | undefined;
  readonly align?: Align | undefined;
  readonly patience?: number | undefined;
}

/**
 * Gradient steps on styles of a StyleGAN2, those of several reconstructions side by side, on the identity loss of one random view of each
 * image; then the final selection.
 */
export async function searchStyles(
  {
    target,
    prior,
    space,
    identities,
    perIdentity,
    config: c,
    seed,
    work,
  }: AttackRun<StyleSettings, "white-box", "stylegan">,
  search: {
    readonly name: string;
    /** The first styles, rows of the space, and the class that each is attacked for. */
    readonly first: Reconstructions;
    /** Least share of the image's area in a view, and the probability of a mirrored one. */
    readonly view: { readonly crop: number; readonly flip: number };
    readonly plan: OptimizerPlan;
    /** Weight of the identity loss, summed over the batch: a sum keeps rows apart from how many others there are. */
    readonly weight?: number;
    /** Holds styles [batch, width] where they may lie, after each step. */
    held?(styles: Value): Value;
  },
): Promise<Reconstructions> {
  const { name, first, view, plan, weight, held = (styles: Value) => styles } = search;
  const { labels } = first;
  const batch = Math.min(c.batch, labels.length);
  const { length, count } = stylesOf(prior.networks);
  const shape = [batch, space.width];
  const styles = parameter("styles", shape);
  const drawn = (rows: Value): Value => {
    const n = rows.shape[0]!;
    const perLayer = c.styles === "w" ? forAllLayers(rows, count) : reshape(rows, [n, count, length]);
    return fixedPrior(prior).synthesizeStyles(perLayer);
  };
  const rowsOf = (images: Value, classes: Value, copies: number) =>
    identityLossRows(c.identityLoss, target.judge(images, copies).logits, classes);
  const range = { scale: [view.crop, 1], ratio: [1, 1], flip: view.flip } as const;
  const seen = randomViews(drawn(styles), range);
  const wanted = oneHot(labelInput(batch), target.classes);
  const { rows, draw } = alignedRows(c.align, seen.images, wanted, rowsOf);
  const identity = sum(rows);
  const loss = weight === undefined ? identity : mul(identity, weight);
  const updates = optimizerUpdates(plan, [styles], grad(loss, [styles]));
  const slots = optimizerState(plan, [styles]);
  const start = (from: number) => ({
    styles: tensor(rowsFrom(first.rows, space.width, from, batch), shape),
    ...slots,
  });
  const found = await runSearch({
    work,
    target,
    name,
    rows: labels.length,
    batch,
    iterations: c.iterations,
    patience: c.patience,
    store: createStore(start(0)),
    start,
    results: ["styles"],
    outputs: { loss, identity: mul(identity, 1 / batch) },
    updates: { ...updates, styles: held(updates.styles!) },
    feeds: (from, iteration) => ({
      ...seen.draw(random(seed, name, from, iteration)),
      ...draw(random(seed, name, "align", from, iteration)),
    }),
    label: (row) => labels[row]!,
  });
  await logAlignment({
    ...{ work, target, name, align: c.align, labels, seed },
    draw: drawn,
    rowsOf,
    points: [
      { iteration: 0, rows: first.rows },
      { iteration: c.iterations, rows: found.styles! },
    ],
  });
  const selection = { target, space, identities, rows: found.styles!, perIdentity };
  return selectFinal({ ...selection, views: c.views, flip: c.flip, seed, signal: work.signal });
}
