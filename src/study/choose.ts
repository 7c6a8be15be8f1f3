import type { Attack } from "../attacks/attack.ts";
import { attacks } from "../attacks/index.ts";
import type { DataSource } from "../data/data.ts";
import { dataSources } from "../data/index.ts";
import type { Defense } from "../defenses/defense.ts";
import { defenses } from "../defenses/index.ts";
import { models } from "../models/index.ts";
import type { Model, ModelFamily, ModelShape } from "../models/model.ts";
import { Normalize, normalized } from "../models/normalize.ts";
import { priors } from "../priors/index.ts";
import type { PriorFamily } from "../priors/prior.ts";
import { withoutName } from "./entry-labels.ts";

/** What a study file chose of a list: the member's kind, and its resolved keys. */
export interface Choice {
  readonly kind: string;
  readonly [key: string]: unknown;
}

/** The member of a list that a study chose, and its keys without `kind` and `name`. */
export interface Chosen<Member> {
  readonly member: Member;
  readonly config: Record<string, unknown>;
}

function chooser<Member extends { readonly kind: string }>(list: readonly Member[]) {
  return ({ kind, ...keys }: Choice): Chosen<Member> => {
    const member = list.find((m) => m.kind === kind);
    if (member === undefined) throw new Error(`no member of kind ${kind}`);
    return { member, config: withoutName(keys) };
  };
}

export const chosenData = chooser<DataSource>(dataSources);
export const chosenDefense = chooser<Defense>(defenses);
export const chosenAttack = chooser<Attack>(attacks);
export const chosenPrior = chooser<PriorFamily>(priors);
const chosenModel = chooser<ModelFamily>(models);

/** A defense and those that it is combined with, in order. */
export function chosenDefenses({ with: others = [], ...own }: Choice): Chosen<Defense>[] {
  return [own as Choice, ...(others as readonly Choice[])].map(chosenDefense);
}

/** Builds the chosen architecture, its images scaled as the choice says. @throws UserError for an image size that it cannot take. */
export function buildModel({ normalize, ...choice }: Choice, shape: ModelShape): Model {
  const { member, config } = chosenModel(choice as Choice);
  const model = member.build(config, shape);
  return normalize === undefined ? model : normalized(model, Normalize.parse(normalize));
}
