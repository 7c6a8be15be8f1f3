import { grad } from "../engine/autodiff.ts";
import type { Value } from "../engine/graph.ts";
import { adam, type OptimizerPlan, optimizerState, optimizerUpdates } from "../engine/optimizer.ts";
import { compile } from "../engine/runtime.ts";
import { constantRate } from "../engine/schedule.ts";
import type { StateDict, Store } from "../engine/store.ts";
import type { TensorData } from "../engine/tensor.ts";
import { type Binding, trainable } from "../models/bind.ts";
import { DISCRIMINATOR, GENERATOR, type PriorNetworks } from "./prior.ts";

/** A prior's networks in training, in the graph of one of the two steps. */
export interface BoundNetworks {
  readonly generator: Binding;
  readonly discriminator: Binding;
  /** Images of the latents z. */
  readonly fake: Value;
}

/** Binds both networks anew, under their prefixes, and renders the latents; for one-hot classes where the generator is conditioned on them. */
export function bindNetworks(networks: PriorNetworks, z: Value, wanted?: Value): BoundNetworks {
  const generator = trainable({ training: true, prefix: GENERATOR });
  const discriminator = trainable({ training: true, prefix: DISCRIMINATOR });
  return { generator, discriminator, fake: generator.apply(networks.generator, z, wanted) };
}

/** One of the two networks as it learns: its loss, its weights, and how they follow. */
export interface Player {
  readonly plan: OptimizerPlan;
  readonly loss: Value;
  readonly weights: readonly Value[];
  /** Next values of its running statistics. */
  readonly buffers: Readonly<Record<string, Value>>;
}

/** A player whose weights, those that learn, follow by Adam at a constant rate; β is (0.5, 0.999) in GMI's and KEDMI's released code. */
export function player(
  name: "critic" | "generator",
  rate: number,
  loss: Value,
  network: Binding,
  buffers: Player["buffers"] = {},
  betas: readonly [number, number] = [0.5, 0.999],
  learns: (name: string) => boolean = () => true,
): Player {
  const plan = { name: `optimizer/${name}`, optimizer: adam({ betas }), rate: constantRate(rate) };
  return { plan, loss, weights: network.trained().filter(({ leaf }) => learns(leaf!.name)), buffers };
}

/** The optimiser's slots, for the store that holds the weights. */
export function playerState({ plan, weights }: Player): StateDict {
  return optimizerState(plan, weights);
}

/** Next values of everything that the player's step changes. */
export function playerUpdates({ plan, loss, weights, buffers }: Player): Record<string, Value> {
  return { ...buffers, ...optimizerUpdates(plan, weights, grad(loss, weights)) };
}

/** A player's step, compiled. */
export interface PlayerStep {
  /** Takes one step and gives the loss before it. */
  take(feeds: Readonly<Record<string, TensorData>>): Promise<number>;
  release(): Promise<void>;
}

/** Compiles the step of a player whose updates are known. */
export async function compilePlayer(
  { loss }: Player,
  updates: Readonly<Record<string, Value>>,
  store: Store,
): Promise<PlayerStep> {
  const program = await compile({ outputs: { loss }, updates, store });
  return {
    take: async (feeds) => (await program.run(feeds)).loss!.data[0]!,
    release: () => program.release(),
  };
}
