import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { type Model, stageIndex } from "../models/model.ts";

export const SHORTCUT_PAPER =
  "Koh et al., On the Vulnerability of Skip Connections to Model Inversion Attacks, ECCV 2024";

/** The key of every defense of shortcuts: whose. */
export const Group = z
  .string()
  .optional()
  .describe("group of stages whose shortcuts change, such as layer4; the last one by default");

/** The model with the shortcuts of one group times a factor: 0 takes them away, 1 gives them back. @throws UserError for a model without shortcuts. */
export function withShortcuts(model: Model, group: string | undefined, factor: number): Model {
  if (model.shortcuts === undefined)
    throw new UserError(`${model.kind} has no shortcuts; rolss, ssf and tts need a residual network such as resnet18`);
  const last = model.stages[group === undefined ? model.stages.length - 1 : stageIndex(model, group)]!.name;
  const [name] = last.split(".");
  const stages = model.shortcuts(name!, factor);
  if (stages.every(({ layer }, i) => layer === model.stages[i]!.layer))
    throw new UserError(`${model.kind}: ${name} has no shortcuts; name a group of blocks such as layer4`);
  return { ...model, stages };
}
