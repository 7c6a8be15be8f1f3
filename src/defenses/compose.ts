import { UserError } from "../engine/errors.ts";
import { type Model, stageIndex } from "../models/model.ts";
import type { TrainingSettings } from "../models/training.ts";
import { AUTO } from "./boundary.ts";
import type { Defense, Recipe } from "./defense.ts";

/** A defense with its resolved keys. */
export interface ChosenDefense {
  readonly member: Defense;
  readonly config: Record<string, unknown>;
}

/** Defenses put together: what is trained, how, and what it is called. */
export interface Defended {
  /** The architecture, reshaped where a defense does that. */
  readonly model: Model;
  readonly recipe: Recipe;
  /** `tl-dmi + label-smoothing` */
  readonly name: string;
  /** With the boundary, where there is one: `tl-dmi layer2.0 + label-smoothing`. */
  readonly label: string;
  /** The defenses that do more than say where weights start and what is frozen, with their keys. */
  readonly changes: readonly ({ readonly kind: string } & Readonly<Record<string, unknown>>)[];
  /** The defense of the answers, with its keys: it is no part of what is trained. */
  readonly outputs?: { readonly kind: string } & Readonly<Record<string, unknown>>;
  /** Everything that determines model and training, as JSON can say it. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Training without a defense. */
const UNDEFENDED: Recipe = { start: "pretrained", boundary: null, probeEpochs: 0, frozenNorms: "eval" };

/** What each key of a recipe is about, for messages. */
const SUBJECTS: Readonly<Record<Exclude<keyof Recipe, "penalties">, string>> = {
  start: "where weights start",
  boundary: "what is frozen",
  probeEpochs: "what is trained first",
  frozenNorms: "how frozen norms behave",
  smoothing: "how targets are smoothed",
  first: "which shape is trained first",
  erasing: "what is covered of the images",
  steps: "how a step of training is taken",
  privacy: "what is accounted for as privacy",
  outputs: "what is done to answers",
};

/** Keys that say by themselves all that they do, or nothing of the training: a defense that changes no other is not named as a change. */
const PLAIN: readonly string[] = [...Object.keys(UNDEFENDED), "outputs"];

/**
 * Puts defenses together. Terms of the loss add up; any other key of the recipe may be changed by one defense alone.
 * @throws UserError for a kind that occurs twice and for defenses that change the same thing.
 */
export function composeDefenses(original: Model, chosen: readonly ChosenDefense[]): Defended {
  checkKinds(chosen.map(({ member }) => member.kind));
  const model = reshaped(original, chosen);
  const parts = chosen.map(({ member, config }) => ({
    kind: member.kind,
    config,
    reshapes: member.reshape !== undefined,
    change: member.recipe(config, model),
  }));
  const owners = new Map<string, string>();
  for (const { kind, change } of parts)
    for (const [key, subject] of Object.entries(SUBJECTS)) {
      if (!Object.hasOwn(change, key)) continue;
      const owner = owners.get(key);
      if (owner !== undefined)
        throw new UserError(`${owner} and ${kind} cannot be combined: both decide ${subject}; leave one of them out`);
      owners.set(key, kind);
    }
  const penalties = parts.flatMap(({ change }) => change.penalties ?? []);
  const merged: Recipe = Object.assign({}, UNDEFENDED, ...parts.map(({ change }) => change));
  const recipe = penalties.length > 0 ? { ...merged, penalties } : merged;
  const { start, boundary, probeEpochs, frozenNorms } = recipe;
  const changes = parts
    .filter(({ change, reshapes }) => reshapes || Object.keys(change).some((key) => !PLAIN.includes(key)))
    .map(({ kind, config }) => ({ kind, ...config }));
  const guard = parts.find(({ change }) => change.outputs !== undefined);
  // `none` beside another defense only says where weights start.
  const named = parts.length > 1 ? parts.filter(({ kind }) => kind !== "none") : parts;
  checkFrozen(original, model, boundary, named.map(({ kind }) => kind).join(" + "));
  checkPrivacy(recipe);
  return {
    model,
    recipe,
    changes,
    name: named.map(({ kind }) => kind).join(" + "),
    label: named.map(({ kind, change }) => (change.boundary ? `${kind} ${change.boundary}` : kind)).join(" + "),
    ...(guard && { outputs: { kind: guard.kind, ...guard.config } }),
    settings: { start, boundary, probeEpochs, frozenNorms, ...(changes.length > 0 && { changes }) },
  };
}

/** The same defenses with the boundary that was chosen, where one of them left it open. */
export function withBoundary(chosen: readonly ChosenDefense[], boundary: string): readonly ChosenDefense[] {
  return chosen.map(({ member, config }) => ({
    member,
    config: config.freeze === AUTO ? { ...config, freeze: boundary } : config,
  }));
}

/**
 * @param images how many are trained on
 * @throws UserError for training settings that contradict the recipe.
 */
export function checkSettings(
  { smoothing, first, privacy }: Recipe,
  { labelSmoothing, epochs }: TrainingSettings,
  images: number,
): void {
  if (privacy !== undefined && privacy.delta >= 1 / images) {
    throw new UserError(
      `dp-sgd: a delta of ${privacy.delta} would allow one of ${images} training images to be published; use less than ${(1 / images).toPrecision(2)}`,
    );
  }
  if (first !== undefined && first.epochs >= epochs) {
    throw new UserError(
      `tts trains ${first.epochs} of the epochs with shortcuts, but training.epochs is ${epochs}; give it more, or tts fewer`,
    );
  }
  if (smoothing !== undefined && labelSmoothing > 0) {
    throw new UserError(
      `training.labelSmoothing is ${labelSmoothing} and the defense label-smoothing smooths the same targets; leave one of them out`,
    );
  }
}

function reshaped(original: Model, chosen: readonly ChosenDefense[]): Model {
  const owners = new Map<string, string>();
  return chosen.reduce((model, { member: { kind, reshape }, config }) => {
    if (reshape === undefined) return model;
    const owner = owners.get(reshape.part);
    if (owner !== undefined)
      throw new UserError(
        `${owner} and ${kind} cannot be combined: both replace the ${reshape.part}; leave one of them out`,
      );
    owners.set(reshape.part, kind);
    return reshape.model(config, model);
  }, original);
}

/** Frozen weights were trained in the stage as it was: they cannot follow when it is reshaped. */
function checkFrozen(original: Model, model: Model, boundary: string | null, name: string): void {
  const frozen = boundary === null || boundary === AUTO ? 0 : stageIndex(model, boundary) + 1;
  const stage = model.stages.find(({ layer }, i) => i < frozen && layer !== original.stages[i]!.layer);
  if (stage !== undefined)
    throw new UserError(
      `${name}: stage ${stage.name} is both reshaped and frozen; freeze an earlier stage, or reshape a later one`,
    );
}

/** What would let private numbers past the noise, or ties the images of a batch together. */
function checkPrivacy({ privacy, penalties, start, boundary, frozenNorms }: Recipe): void {
  if (privacy === undefined) return;
  if (boundary === AUTO)
    throw new UserError(
      "dp-sgd cannot account for freeze: auto, which looks at the private images through a model that was trained without noise; name a stage",
    );
  if (penalties !== undefined)
    throw new UserError(
      "dp-sgd clips the gradient of each image alone, but a defense of the same target adds a term over the whole batch; leave one of them out",
    );
  if (start === "scratch")
    throw new UserError(
      "dp-sgd keeps batch norms at the statistics of public start weights, which start: scratch does not have; leave start out",
    );
  if (frozenNorms === "train")
    throw new UserError(
      "dp-sgd and frozenNorms: train cannot be combined: statistics that follow private images get no noise; use frozenNorms: eval",
    );
}

function checkKinds(kinds: readonly string[]): void {
  const twice = kinds.find((kind, i) => kinds.indexOf(kind) !== i);
  if (twice !== undefined) throw new UserError(`${twice} cannot be combined with itself; leave one of them out`);
}
