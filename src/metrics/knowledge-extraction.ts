import { accuracy } from "./accuracy.ts";
import { defineMetric } from "./metric.ts";

const score = accuracy(({ student }) => student ?? { logits: new Float32Array(0), labels: new Int32Array(0) }, 1);

/** Top-1 accuracy on real private test images of a classifier that was trained on nothing but the reconstructions. */
export const knowledgeExtraction = defineMetric({
  kind: "knowledge-extraction",
  name: "knowledge extraction",
  summary:
    "share of private test images that a classifier trained on the reconstructions alone recognises; measured where a study has a student",
  paper: "Struppek et al., Be Careful What You Smooth For, ICLR 2024",
  measures: "leakage",
  direction: "higher",
  unit: "rate",
  range: [0, 1],
  measure: (evidence) => (evidence.student === undefined ? undefined : score.measure(evidence)),
  perIdentity: score.perIdentity,
});
