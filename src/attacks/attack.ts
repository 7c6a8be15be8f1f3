import type { z } from "zod";
import type { Work } from "../engine/work.ts";
import type { Prior } from "../priors/prior.ts";
import type { Access, WhiteBox } from "./access.ts";

/** What an attack is given. */
export interface AttackRun<Config> {
  readonly target: WhiteBox;
  readonly prior: Prior;
  /** The attacked classes. */
  readonly identities: readonly number[];
  /** Reconstructions asked for of each. */
  readonly perIdentity: number;
  readonly config: Config;
  readonly seed: number;
  readonly work: Work;
}

/** What an attack recovered: `latents` [n, latent], row i being meant for class `labels[i]`. Identity by identity, `perIdentity` rows each. */
export interface Reconstructions {
  readonly latents: Float32Array;
  readonly labels: Int32Array;
}

/** A model-inversion attack: one file in this folder, one line in `index.ts`. */
export interface Attack<Kind extends string = string, Schema extends z.ZodObject = z.ZodObject> {
  readonly kind: Kind;
  readonly summary: string;
  readonly paper: string;
  readonly access: Access;
  /** The kind of prior that it searches in. */
  readonly prior: "dcgan" | "kedmi";
  readonly config: Schema;
  run(run: AttackRun<z.output<Schema>>): Promise<Reconstructions>;
}

/** Declares an attack; only fixes the types. */
export function defineAttack<const Kind extends string, Schema extends z.ZodObject>(
  attack: Attack<Kind, Schema>,
): Attack<Kind, Schema> {
  return attack;
}
