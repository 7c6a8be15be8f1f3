import { meanOf } from "./mean-of.ts";
import { defineMetric, type Evidence } from "./metric.ts";
import { againstReferences, squaredDistance } from "./nearest-reference.ts";

function centre(rows: readonly Float32Array[]): Float64Array {
  const sums = new Float64Array(rows[0]!.length);
  for (const row of rows) for (let j = 0; j < sums.length; j++) sums[j]! += row[j]!;
  return sums.map((sum) => sum / rows.length);
}

function distances(evidence: Evidence): Float64Array {
  const centres = new Map<number, Float64Array>();
  return againstReferences(evidence, (x, references, label) => {
    const known = centres.get(label) ?? centre(references);
    centres.set(label, known);
    return squaredDistance(x, known);
  });
}

/** δ_eval to the mean: squared L2 distance from a reconstruction to the mean feature vector of its class's private training images. */
export const meanDistance = defineMetric({
  kind: "mean-distance",
  name: "distance to the mean",
  summary:
    "mean squared L2 distance from a reconstruction to the mean of its class's private training images, in the evaluation model's features (δ_eval to the mean)",
  paper: "Struppek et al., Plug & Play Attacks, ICML 2022",
  measures: "leakage",
  direction: "lower",
  unit: "squared L2",
  range: [0, Number.POSITIVE_INFINITY],
  ...meanOf((evidence) => ({ values: distances(evidence), labels: evidence.reconstructions.labels })),
});
