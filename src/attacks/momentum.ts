import { z } from "zod";
import { grad } from "../engine/autodiff.ts";
import { parameter, type Value } from "../engine/graph.ts";
import { clamp } from "../engine/ops/clamp.ts";
import { add, mul, sub } from "../engine/ops/elementwise.ts";
import type { StateDict } from "../engine/store.ts";
import { filled, tensor } from "../engine/tensor.ts";
import { rowsFrom } from "./search.ts";

/** Settings of GMI's update. */
export const momentumSettings = {
  rate: z
    .number()
    .positive()
    .default(0.02)
    .describe("step size of the momentum update, for a loss that is a mean over 60 latents"),
  momentum: z.number().min(0).lt(1).default(0.9),
};

/** Few, small steps from the best of many random latents: the search of `preset: quick`. */
export const quickSearch = {
  iterations: 40,
  rate: 0.03,
  identityLoss: "max-margin",
  identityWeight: 20,
  pool: 1000,
  batch: 50,
  clamp: 3,
} as const;

/** The released code averages its loss over batches of 60 identities; a step size means the same here whatever the batch. */
const REFERENCE_BATCH = 60;

/** GMI's look-ahead momentum on a batch of latents. */
export interface MomentumSearch {
  /** [batch, latent], held by a store. */
  readonly latents: Value;
  /** The store's values for rows `from` … of these latents. */
  start(rows: Float32Array, from: number): StateDict;
  /** The loss that is lowered, from its sum over the batch, and what becomes of the store. */
  step(total: Value): { readonly loss: Value; readonly updates: Readonly<Record<string, Value>> };
}

/** Latents [batch, latent] held to ± `clamp`. */
export function momentumSearch(
  batch: number,
  latent: number,
  c: { readonly rate: number; readonly momentum: number; readonly clamp: number },
): MomentumSearch {
  const shape = [batch, latent];
  const latents = parameter("latents", shape);
  const velocity = parameter("velocity", shape);
  return {
    latents,
    start: (rows, from) => ({
      latents: tensor(rowsFrom(rows, latent, from, batch), shape),
      velocity: filled(shape, 0),
    }),
    step(total) {
      const loss = mul(total, 1 / REFERENCE_BATCH);
      const [g] = grad(loss, [latents]);
      // v' = m·v − rate·g;  z' = z − m·v + (1 + m)·v'  (released code), then clamped.
      const next = sub(mul(velocity, c.momentum), mul(g!, c.rate));
      const moved = add(sub(latents, mul(velocity, c.momentum)), mul(next, 1 + c.momentum));
      return { loss, updates: { latents: clamp(moved, -c.clamp, c.clamp), velocity: next } };
    },
  };
}
