import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { countWeights } from "../models/bind.ts";
import { type Model, splitAt, stageIndex } from "../models/model.ts";

/** The boundary that Fisher information is to choose, before it has. */
export const AUTO = "auto";

/** Where to cut a model into θ_E and θ_C. */
export const Freeze = z
  .union([
    z.string().min(1),
    z.strictObject({
      maxTrainable: z.int().positive().describe("freeze as little as leaves at most this many parameters trainable"),
    }),
    z.strictObject({
      fraction: z
        .number()
        .gt(0)
        .lt(1)
        .describe("freeze this share of the layers that have weights, counted from the input"),
    }),
  ])
  .describe(
    "last frozen stage (layer3), or a parameter budget { maxTrainable: 900000 }, or { fraction: 0.5 } of the layers, or auto: by Fisher information (docs/fisher.md)",
  );

/** The name of the last frozen stage, or `auto`. @throws UserError where the model has no such stage or no cut meets the budget. */
export function boundaryOf(freeze: z.output<typeof Freeze>, model: Model): string {
  if (freeze === AUTO) return AUTO;
  if (typeof freeze === "string") return model.stages[stageIndex(model, freeze)]!.name;
  const names = model.stages.map((s) => s.name);
  if ("maxTrainable" in freeze) {
    const fits = names.find((name) => trainableParameters(model, name) <= freeze.maxTrainable);
    if (fits !== undefined) return fits;
    const least = trainableParameters(model, names.at(-1)!);
    throw new UserError(
      `${model.kind}: at most ${freeze.maxTrainable} trainable parameters cannot be had, the head alone has ${least}`,
    );
  }
  const total = layerCount(model, null);
  const within = names.filter((name) => 1 - layerCount(model, name) / total <= freeze.fraction);
  const last = within.at(-1);
  if (last !== undefined) return last;
  const first = 1 - layerCount(model, names[0]!) / total;
  throw new UserError(
    `${model.kind}: a fraction of ${freeze.fraction} freezes nothing, the first stage already holds ${first.toFixed(2)} of the layers`,
  );
}

/** |θ_C|: parameters after the boundary, the head included. */
export function trainableParameters(model: Model, boundary: string | null): number {
  return countWeights(splitAt(model, boundary).rest.weights);
}

/** Layers with weights after the boundary, the head's included. */
function layerCount(model: Model, boundary: string | null): number {
  const paths = splitAt(model, boundary).rest.weights.map((w) => w.name.split(".").slice(0, -1).join("."));
  return new Set(paths).size;
}
