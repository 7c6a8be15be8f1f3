import type { z } from "zod";
import type { ImageSet } from "../data/dataset.ts";
import type { Value } from "../engine/graph.ts";
import { seedFor } from "../engine/random.ts";
import type { StateDict } from "../engine/store.ts";
import type { Work } from "../engine/work.ts";
import { initialState } from "../models/bind.ts";
import type { Layer } from "../models/layer.ts";
import type { Predictor } from "../models/predict.ts";
import type { SynthesisParts } from "./synthesis-parts.ts";

/** The networks of a prior. Images are [N, channels, side, side] in [0, 1]; latents are [N, latent], drawn from N(0, I). */
export interface PriorNetworks {
  readonly latent: number;
  readonly image: readonly [number, number, number];
  /** Classes that both networks are conditioned on, handed to them as one-hot rows; absent where they are not. */
  readonly classes?: number;
  readonly generator: Layer;
  readonly discriminator: Layer;
  /** Class logits [N, classes] from the discriminator's output, of a discriminator that also tells classes apart. */
  recognise?(discriminated: Value): Value;
  /** Naturalness from the discriminator's output: [N, …] to [N], higher where an image looks more like the public ones. */
  naturalness(discriminated: Value): Value;
  /** The most images that are rendered at a time; 64 where it is left out. */
  readonly batch?: number;
  /** What a generator is made of that draws by styles; absent where it does not. */
  readonly styles?: Styles;
}

/** The two halves of a generator that draws by styles. Their weights have the names that they have in the generator. */
export interface Styles {
  /** Length of a style, w. */
  readonly length: number;
  /** Styles that an image takes, one a layer. */
  readonly count: number;
  /** [N, latent] to w [N, length]. */
  readonly mapping: Layer;
  /** Styles [N, count, length] to images [N, channels, side, side]. */
  readonly synthesis: Layer;
  /** The same block by block. */
  readonly parts: SynthesisParts;
}

/** The networks of a prior that draws by styles. */
export interface StyledNetworks extends PriorNetworks {
  readonly styles: Styles;
}

/** A trained prior: what an attack searches in. */
export interface Prior {
  readonly kind: string;
  readonly networks: PriorNetworks;
  /** Weights of both networks under `generator/…` and `discriminator/…`. */
  readonly state: StateDict;
}

/** What the networks are built for. */
export interface PriorShape {
  readonly image: readonly [number, number, number];
  /** Private classes of the target; only priors that are trained against a target use it. */
  readonly classes: number;
}

/** The attacked target in the hands of those who train a prior against it. Its weights are fixed. */
export interface AttackedTarget {
  /** [N, C, H, W] to logits [N, classes]; gradients flow to the images. */
  logits(images: Value): Value;
  /** The target's softmax for each image of a set, row by row: [images, classes]. */
  scores(images: ImageSet): Promise<Float32Array>;
  /** The same for images as they turn up, so many at a time. */
  scorer(batch: number): Promise<Predictor<"scores">>;
}

/** The attacked target in the hands of those who see the classes that it predicts, and nothing else. */
export interface LabellingTarget {
  /** The likeliest class of each of the images [N, C, H, W]; each image is a query. */
  labels(images: Float32Array): Promise<Int32Array>;
}

/** How a prior is trained: without a target, against one whose weights are known, or against one that only names classes. */
export type Against = false | true | "labels";

/** What a prior is trained on. */
export interface PriorTraining<Settings, PerTarget extends Against = Against> {
  readonly settings: Settings;
  readonly shape: PriorShape;
  /** The public images. */
  readonly images: ImageSet;
  /** Who is attacked; only for priors that are trained against a target. */
  readonly target: PerTarget extends true ? AttackedTarget : PerTarget extends "labels" ? LabellingTarget : undefined;
  /** Weights of the prior that `startsFrom` names. */
  readonly start?: StateDict;
  readonly seed: number;
  readonly work: Work;
}

/** A kind of prior: one file in this folder, one line in `index.ts`. */
export interface PriorFamily<
  Kind extends string = string,
  Schema extends z.ZodObject = z.ZodObject,
  PerTarget extends Against = Against,
> {
  readonly kind: Kind;
  readonly summary: string;
  readonly paper: string;
  /** Whether it is trained against the attacked target, and so anew for each defense; `labels`: from the classes that it predicts alone. */
  readonly perTarget: PerTarget;
  /** Names the training: its random stream, and its step in a study. Priors that are trained against a target have names of their own. */
  readonly training: string;
  readonly config: Schema;
  /** `preset: quick`: the keys with which it is trained in minutes on two cores, for 64×64 images. */
  readonly quick: Partial<z.input<Schema>>;
  /** @throws UserError for an image size that the networks cannot make. */
  networks(config: z.output<Schema>, shape: PriorShape): PriorNetworks;
  /** The kind of public prior whose weights training starts from; from random ones where there is none. */
  startsFrom?(config: z.output<Schema>): string | undefined;
  /** Gives the weights of both networks under their prefixes. Resumes. @throws DivergedError when a loss is no longer finite. */
  train(training: PriorTraining<z.output<Schema>, PerTarget>): Promise<StateDict>;
}

/** Declares a kind of prior; only fixes the types. */
export function definePrior<const Kind extends string, Schema extends z.ZodObject, const PerTarget extends Against>(
  family: PriorFamily<Kind, Schema, PerTarget>,
): PriorFamily<Kind, Schema, PerTarget> {
  return family;
}

export const GENERATOR = "generator/";
export const DISCRIMINATOR = "discriminator/";

/** The part of a prior's weights that belongs to one network, with the network's own names. */
export function weightsUnder(prefix: string, state: StateDict): StateDict {
  return Object.fromEntries(
    Object.entries(state).flatMap(([name, t]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), t]] : [])),
  );
}

/** A network's weights under a prefix, for a store that holds several. */
export function weightsWithPrefix(prefix: string, state: StateDict): StateDict {
  return Object.fromEntries(Object.entries(state).map(([name, t]) => [`${prefix}${name}`, t]));
}

/** Random first weights of both networks under their prefixes. */
export function firstWeights({ generator, discriminator }: PriorNetworks, seed: number): StateDict {
  return {
    ...weightsWithPrefix(GENERATOR, initialState(generator.weights, seedFor(seed, GENERATOR))),
    ...weightsWithPrefix(DISCRIMINATOR, initialState(discriminator.weights, seedFor(seed, DISCRIMINATOR))),
  };
}
