import { UserError } from "../engine/errors.ts";
import type { Model } from "../models/model.ts";
import type { TrainingSettings } from "../models/training.ts";
import type { Defense, Recipe } from "./defense.ts";

/** A defense with its resolved keys. */
export interface ChosenDefense {
  readonly member: Defense;
  readonly config: Record<string, unknown>;
}

/** Defenses put together: what is trained, how, and what it is called. */
export interface Defended {
  readonly recipe: Recipe;
  /** `tl-dmi + label-smoothing` */
  readonly name: string;
  /** With the boundary, where there is one: `tl-dmi layer2.0 + label-smoothing`. */
  readonly label: string;
  /** Everything that determines the recipe, as JSON can say it. */
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
};

/** Keys that say by themselves all that they do: a defense that changes no other is described by them. */
const PLAIN: readonly string[] = Object.keys(UNDEFENDED);

/**
 * Puts defenses together. Terms of the loss add up; any other key of the recipe may be changed by one defense alone.
 * @throws UserError for a kind that occurs twice and for defenses that change the same thing.
 */
export function composeDefenses(model: Model, chosen: readonly ChosenDefense[]): Defended {
  checkKinds(chosen.map(({ member }) => member.kind));
  const parts = chosen.map(({ member, config }) => ({
    kind: member.kind,
    config,
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
    .filter(({ change }) => Object.keys(change).some((key) => !PLAIN.includes(key)))
    .map(({ kind, config }) => ({ kind, ...config }));
  // `none` beside another defense only says where weights start.
  const named = parts.length > 1 ? parts.filter(({ kind }) => kind !== "none") : parts;
  return {
    recipe,
    name: named.map(({ kind }) => kind).join(" + "),
    label: named.map(({ kind, change }) => (change.boundary ? `${kind} ${change.boundary}` : kind)).join(" + "),
    settings: { start, boundary, probeEpochs, frozenNorms, ...(changes.length > 0 && { changes }) },
  };
}

/** @throws UserError for training settings that contradict the recipe. */
export function checkSettings({ smoothing }: Recipe, { labelSmoothing }: TrainingSettings): void {
  if (smoothing !== undefined && labelSmoothing > 0) {
    throw new UserError(
      `training.labelSmoothing is ${labelSmoothing} and the defense label-smoothing smooths the same targets; leave one of them out`,
    );
  }
}

function checkKinds(kinds: readonly string[]): void {
  const twice = kinds.find((kind, i) => kinds.indexOf(kind) !== i);
  if (twice !== undefined) throw new UserError(`${twice} cannot be combined with itself; leave one of them out`);
}
