import type { ImageSet } from "../data/dataset.ts";
import { bytesOf } from "../engine/number-bytes.ts";
import { add } from "../engine/ops/elementwise.ts";
import { crossEntropy } from "../engine/ops/loss.ts";
import { refusalOf } from "../engine/per-example.ts";
import type { StateDict } from "../engine/store.ts";
import type { Work } from "../engine/work.ts";
import { fixed, fixedWithLiveStatistics, initialState } from "../models/bind.ts";
import type { WeightSpec } from "../models/layer.ts";
import { type Model, splitAt, weightsOf } from "../models/model.ts";
import {
  classification,
  constantSmoothing,
  type Objective,
  oneHotTargets,
  type Smoothing,
  train,
} from "../models/train.ts";
import type { TrainingSettings } from "../models/training.ts";
import { checkSettings } from "./compose.ts";
import type { Penalty, Recipe } from "./defense.ts";

/** A target model to be trained by a recipe. */
export interface TargetTraining {
  readonly work: Work;
  readonly model: Model;
  readonly recipe: Recipe;
  /** Weights of the same architecture trained on public images; its head (which has other classes) is not used, but for a neck of theirs. */
  readonly pretrained: StateDict;
  readonly train: ImageSet;
  readonly validation: ImageSet;
  readonly settings: TrainingSettings;
  /** As `Training.featureMemory`. */
  readonly featureMemory?: number;
  readonly seed: number;
}

/**
 * Trains the target model and returns all its weights and buffers. The epoch with the best validation accuracy is kept.
 * @throws DivergedError when the loss is no longer finite; UserError for settings that contradict the recipe, and for private steps of a
 * model whose images have no gradients of their own.
 */
export async function trainTarget(options: TargetTraining): Promise<StateDict> {
  const { model, recipe, pretrained, seed, settings } = options;
  checkSettings(recipe, settings, options.train.size);
  const { first } = recipe;
  let state: StateDict = { ...initialState(weightsOf(first?.model ?? model), seed) };
  if (recipe.start === "pretrained") {
    // What a defense puts before the first stage was not there when they were trained.
    const stages = (first?.model ?? model).stages.flatMap((s) => s.layer.weights);
    const known = [...stages, ...startingNeck(model, recipe)].flatMap(({ name }) =>
      pretrained[name] ? [[name, pretrained[name]] as const] : [],
    );
    state = { ...state, ...Object.fromEntries(known) };
  }
  const lastStage = model.stages.at(-1)!.name;
  if (recipe.probeEpochs > 0) {
    const probe = { ...settings, epochs: recipe.probeEpochs };
    const phase = { ...options, model: first?.model ?? model };
    state = { ...state, ...(await trainAfter(phase, state, lastStage, "linear-probe", probe)) };
  }
  if (first !== undefined) {
    // The learning rate falls over what comes after.
    const begin = { ...settings, epochs: first.epochs, schedule: "constant" as const };
    const phase = { ...options, model: first.model };
    const smoothing = from(0, settings.epochs, recipe.smoothing);
    state = { ...state, ...(await trainAfter(phase, state, recipe.boundary, "target-first", begin, smoothing)) };
  }
  const before = first?.epochs ?? 0;
  // The learning rate has risen in the first phase.
  const rest = { ...settings, epochs: settings.epochs - before, ...(first && { warmup: 0 }) };
  const smoothing = from(before, settings.epochs, recipe.smoothing);
  state = { ...state, ...(await trainAfter(options, state, recipe.boundary, "target", rest, smoothing)) };
  return Object.fromEntries(weightsOf(model).map(({ name }) => [name, state[name]!]));
}

/** What of the neck is the start weights'. Private steps never measure a norm's statistics: those of public images are all that it can have. */
function startingNeck({ neck, neckFromStart }: Model, { privacy }: Recipe): readonly WeightSpec[] {
  return neckFromStart || privacy !== undefined ? (neck?.weights ?? []) : [];
}

/** A schedule of smoothing over all epochs, as seen from a phase that begins after some of them. */
function from(begin: number, all: number, smoothing: Smoothing | undefined): Smoothing | undefined {
  return (
    smoothing && {
      share: (epoch) => smoothing.share(Math.floor(begin + epoch), all),
      settled: () => Math.max(0, smoothing.settled(all) - begin),
    }
  );
}

function trainAfter(
  { work, model, recipe, train: images, validation, featureMemory, seed }: TargetTraining,
  state: StateDict,
  boundary: string | null,
  name: string,
  settings: TrainingSettings,
  smoothing?: Smoothing,
): Promise<StateDict> {
  const { frozen, rest } = splitAt(model, boundary);
  const live = recipe.frozenNorms === "train" ? frozen.weights.filter((w) => w.kind === "buffer") : [];
  // No epoch before the last is kept, so that nothing is chosen by private images that noise does not cover.
  const last = recipe.privacy && {
    ...(smoothing ?? constantSmoothing(settings.labelSmoothing)),
    settled: () => Number.POSITIVE_INFINITY,
  };
  const kept = last ?? smoothing;
  const select = (specs: readonly WeightSpec[]) => Object.fromEntries(specs.map((w) => [w.name, state[w.name]!]));
  return train({
    work,
    name,
    prefix: {
      layer: frozen,
      binding: (training) => (live.length > 0 ? fixedWithLiveStatistics(state, training) : fixed(state)),
    },
    trained: rest,
    start: { ...select(rest.weights), ...select(live) },
    objective: penalized(recipe.penalties ?? []),
    targets: oneHotTargets(model.classes),
    train: images,
    validation,
    settings,
    ...(kept && { smoothing: kept }),
    ...(recipe.steps && { steps: recipe.steps }),
    ...(recipe.erasing && { erasing: recipe.erasing }),
    ...(featureMemory !== undefined && { featureMemory }),
    seed,
  }).catch((error: unknown) => {
    throw refusalOf(model.kind, error);
  });
}

/** Cross-entropy and the defenses' terms. */
function penalized(penalties: readonly Penalty[]): Objective {
  return {
    ...classification,
    loss: (logits, targets, view) =>
      penalties.reduce((sum, term) => add(sum, term(logits, targets, view)), crossEntropy(logits, targets)),
  };
}

/** Names of frozen tensors that differ in a single bit: must be empty after training. Buffers count unless they may follow the data. */
export function changedFrozenTensors(model: Model, recipe: Recipe, before: StateDict, after: StateDict): string[] {
  const checked = splitAt(model, recipe.boundary).frozen.weights.filter(
    (w) => w.kind === "weight" || recipe.frozenNorms === "eval",
  );
  return checked.map((w) => w.name).filter((name) => !sameBits(before[name]!.data, after[name]!.data));
}

function sameBits(a: Float32Array, b: Float32Array): boolean {
  return Buffer.compare(bytesOf(a), bytesOf(b)) === 0;
}
