import { byIdentity, means } from "./by-identity.ts";
import { bootstrapByIdentity } from "./interval.ts";
import { defineMetric, type Evidence } from "./metric.ts";
import { nearestReference } from "./nearest-reference.ts";

const paper =
  "Zhang et al., The Secret Revealer: Generative Model-Inversion Attacks Against Deep Neural Networks, CVPR 2020";

/** Both measurements of a distance; `scale` is applied to each reconstruction's squared distance before any mean. */
function distance(scale: (squared: number) => number) {
  const grouped = (evidence: Evidence) =>
    byIdentity(nearestReference(evidence).map(scale), evidence.reconstructions.labels, evidence.classes.length);
  return {
    measure: (evidence: Evidence) => bootstrapByIdentity(grouped(evidence), evidence.seed),
    perIdentity: (evidence: Evidence) => means(grouped(evidence)),
  };
}

/** Squared L2 distance to the nearest private training image of the attacked class, averaged over reconstructions. */
export const knnDistance = defineMetric({
  kind: "knn-distance",
  name: "KNN distance",
  summary:
    "mean squared L2 distance from a reconstruction to the nearest private training image of its class, in the evaluation model's features (δ_eval)",
  paper,
  measures: "leakage",
  direction: "lower",
  unit: "squared L2",
  range: [0, Number.POSITIVE_INFINITY],
  ...distance((squared) => squared),
});

/** The same without the square: the form that part of the literature prints. */
export const knnDistanceL2 = defineMetric({
  kind: "knn-distance-l2",
  name: "KNN distance, L2",
  summary:
    "mean L2 distance (not squared) from a reconstruction to the nearest private training image of its class, in the evaluation model's features",
  paper,
  measures: "leakage",
  direction: "lower",
  unit: "L2",
  range: [0, Number.POSITIVE_INFINITY],
  ...distance(Math.sqrt),
});
