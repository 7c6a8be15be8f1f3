import type { AttributeSpec } from "../data/dataset.ts";
import type { Value } from "../engine/graph.ts";
import { add, mul, neg, square, sub } from "../engine/ops/elementwise.ts";
import { crossEntropyRows } from "../engine/ops/loss.ts";
import { sliceAxis } from "../engine/ops/movement.ts";
import { mean } from "../engine/ops/reduce.ts";
import type { Objective } from "../models/train.ts";
import { attributeLayout } from "./attribute-layout.ts";

/** Numbers lie in [0, 1], so their squared errors are small beside cross-entropies; this puts them on one footing. */
const NUMBER_WEIGHT = 20;

/** What an attribute regressor learns: squared error on numbers, cross-entropy on categories. The score is the negative loss. */
export function attributeObjective(specs: readonly AttributeSpec[]): Objective {
  const rows = (outputs: Value, targets: Value): Value =>
    attributeLayout(specs)
      .map(({ spec, columnAt }) => {
        const part = (v: Value) => sliceAxis(v, 1, columnAt, columnAt + spec.size);
        return spec.kind === "category"
          ? crossEntropyRows(part(outputs), part(targets))
          : mul(mean(square(sub(part(outputs), part(targets))), [1]), NUMBER_WEIGHT);
      })
      .reduce((a, b) => add(a, b));
  return {
    loss: (outputs, targets) => mean(rows(outputs, targets)),
    score: (outputs, targets) => neg(rows(outputs, targets)),
  };
}
