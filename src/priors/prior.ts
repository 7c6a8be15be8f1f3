import type { z } from "zod";
import type { Value } from "../engine/graph.ts";
import type { StateDict } from "../engine/store.ts";
import type { Layer } from "../models/layer.ts";

/** The networks of a prior. Images are [N, channels, side, side] in [0, 1]; latents are [N, latent], drawn from N(0, I). */
export interface PriorNetworks {
  readonly latent: number;
  readonly image: readonly [number, number, number];
  /** Classes that both networks are conditioned on, handed to them as one-hot rows; absent where they are not. */
  readonly classes?: number;
  readonly generator: Layer;
  readonly discriminator: Layer;
  /** Naturalness from the discriminator's output: [N, …] to [N], higher where an image looks more like the public ones. */
  naturalness(discriminated: Value): Value;
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

/** A kind of prior: one file in this folder, one line in `index.ts`. */
export interface PriorFamily<Kind extends string = string, Schema extends z.ZodObject = z.ZodObject> {
  readonly kind: Kind;
  readonly summary: string;
  readonly paper: string;
  /** Whether it is trained against the attacked target, and so anew for each defense. */
  readonly perTarget: boolean;
  readonly config: Schema;
  /** @throws UserError for an image size that the networks cannot make. */
  networks(config: z.output<Schema>, shape: PriorShape): PriorNetworks;
}

/** Declares a kind of prior; only fixes the types. */
export function definePrior<const Kind extends string, Schema extends z.ZodObject>(
  family: PriorFamily<Kind, Schema>,
): PriorFamily<Kind, Schema> {
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
