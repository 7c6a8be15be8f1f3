import type { z } from "zod";
import { UserError } from "../engine/errors.ts";
import type { Initializer, Layer, WeightSpec } from "./layer.ts";
import { sequential } from "./layers.ts";

/** A piece of a model that hands on exactly one tensor; a freeze boundary is the name of the last frozen one. */
export interface Stage {
  readonly name: string;
  readonly layer: Layer;
}

/** A classifier: ordered stages that end in a feature vector [N, features], and a head that makes logits of it. */
export interface Model {
  readonly kind: string;
  readonly stages: readonly Stage[];
  readonly head: Layer;
  /** What the head does before its linear layer; a head that takes its place keeps it. */
  readonly neck?: Layer;
  /** Whether the neck is part of what start weights bring: fine-tuning replaces the linear layer alone. Elsewhere it begins anew with it. */
  readonly neckFromStart?: true;
  /** The stages with the shortcuts of one group (`layer4`) scaled by a factor, 0 taking them away. Stages of other groups are the same objects. */
  readonly shortcuts?: (group: string, factor: number) => readonly Stage[];
  /** This model's name for a tensor that published files spell otherwise; any other name as it is. */
  readonly respell?: (name: string) => string;
  /** Length of the penultimate feature vector. */
  readonly features: number;
  readonly classes: number;
  /** [channels, height, width] of the images it takes, values in [0, 1]. */
  readonly input: readonly [number, number, number];
  /** Where the weights come from that its specs start with; absent for architectures, which start with random ones. */
  readonly imported?: ImportedWeights;
}

/** A trained model that was brought as a file. */
export interface ImportedWeights {
  readonly file: string;
  /** The head is the file's own: it has as many classes as are wanted. */
  readonly ownHead: boolean;
  /** How many classes the file knows; undefined where its output is a feature vector. */
  readonly classes?: number;
  /** Names of the file's classes in order, where it says them. */
  readonly labels?: readonly string[];
  /** Compares the model with what the runtime makes of the file. @throws UserError where they differ */
  verify(): Promise<void>;
}

/** What a model is built for. */
export interface ModelShape {
  readonly input: readonly [number, number, number];
  readonly classes: number;
}

/** An architecture: one file in this folder, one line in `index.ts`. */
export interface ModelFamily<Kind extends string = string, Schema extends z.ZodObject = z.ZodObject> {
  readonly kind: Kind;
  readonly summary: string;
  readonly paper: string;
  readonly config: Schema;
  /** @throws UserError for an image size that the architecture cannot take. */
  build(config: z.output<Schema>, shape: ModelShape): Model;
}

/** Declares an architecture; only fixes the types. */
export function defineModel<const Kind extends string, Schema extends z.ZodObject>(
  family: ModelFamily<Kind, Schema>,
): ModelFamily<Kind, Schema> {
  return family;
}

/**
 * The position of the stage of that name, or of the last stage of a group: `layer3` means the last block of layer3.
 * @throws UserError that lists the names there are.
 */
export function stageIndex(model: Model, name: string): number {
  const index = model.stages.findLastIndex((s) => s.name === name || s.name.startsWith(`${name}.`));
  if (index >= 0) return index;
  const groups = [...new Set(model.stages.map((s) => s.name.split(".")[0]))];
  throw new UserError(
    `${model.kind} has no stage "${name}"; it has ${model.stages.map((s) => s.name).join(", ")}, and ${groups.join(", ")} for the last of each`,
  );
}

/** The stages up to and including `boundary` (none for null), and the rest with the head. */
export function splitAt(model: Model, boundary: string | null): { frozen: Layer; rest: Layer; tail: Layer } {
  const index = boundary === null ? -1 : stageIndex(model, boundary);
  const layers = model.stages.map(observedStage);
  const tail = sequential(...layers.slice(index + 1));
  return { frozen: sequential(...layers.slice(0, index + 1)), tail, rest: sequential(tail, model.head) };
}

/** The part of the model that makes features, without the head. */
export function featureLayer(model: Model): Layer {
  return sequential(...model.stages.map(observedStage));
}

/** A stage that shows its output under its name. */
function observedStage({ name, layer }: Stage): Layer {
  return {
    weights: layer.weights,
    apply(x, context) {
      const y = layer.apply(x, context);
      context.observe(name, y);
      return y;
    },
  };
}

/** The whole model: images to logits. */
export function logitsLayer(model: Model): Layer {
  return sequential(featureLayer(model), model.head);
}

/** The model with other first numbers for the weights of which `initial` gives some; the others keep theirs. */
export function startingFrom(model: Model, initial: (spec: WeightSpec) => Initializer | undefined): Model {
  const started = (layer: Layer): Layer => ({
    ...layer,
    weights: layer.weights.map((spec) =>
      spec.kind === "weight" ? { ...spec, initial: initial(spec) ?? spec.initial } : spec,
    ),
  });
  return {
    ...model,
    stages: model.stages.map(({ name, layer }) => ({ name, layer: started(layer) })),
    head: started(model.head),
    ...(model.neck && { neck: started(model.neck) }),
  };
}

/** The model with other layers between features [N, features] and logits [N, classes]. */
export function withHead(model: Model, ...layers: readonly Layer[]): Model {
  return { ...model, head: sequential(...(model.neck === undefined ? [] : [model.neck]), ...layers) };
}

/** All tensors that the model keeps, in order. */
export function weightsOf(model: Model): readonly WeightSpec[] {
  return logitsLayer(model).weights;
}
