import { models } from "../models/index.ts";
import type { Model, ModelFamily, ModelShape } from "../models/model.ts";

/** A student starts from random weights, which an imported model has none of. */
export const architectures = models.filter((family) => family.kind !== "onnx");

/** The architecture of a network that learns from a target, and its keys. */
export interface StudentChoice {
  readonly kind: string;
  readonly [key: string]: unknown;
}

/** The chosen architectures for images and classes of a target. */
export function buildStudents(choices: readonly StudentChoice[], shape: ModelShape): Model[] {
  return choices.map(({ kind, ...config }) => {
    const family = (models as readonly ModelFamily[]).find((member) => member.kind === kind)!;
    return family.build(config, shape);
  });
}
