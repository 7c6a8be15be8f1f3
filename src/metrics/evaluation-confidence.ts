import { meanOf } from "./mean-of.ts";
import { defineMetric, type Evidence } from "./metric.ts";

/** The softmax of each row's label, computed with the row's largest logit taken off so that it cannot overflow. */
function confidences({ classes, reconstructions: { logits, labels } }: Evidence) {
  const k = classes.length;
  if (logits.length !== labels.length * k) {
    throw new RangeError(`expected ${labels.length} × ${k} logits, got ${logits.length}`);
  }
  const values = Float64Array.from(labels, (label, i) => {
    const row = logits.subarray(i * k, (i + 1) * k);
    const top = row.reduce((most, x) => Math.max(most, x), Number.NEGATIVE_INFINITY);
    const total = row.reduce((sum, x) => sum + Math.exp(x - top), 0);
    return Math.exp(row[label]! - top) / total;
  });
  return { values, labels };
}

/** The evaluation model's softmax for the attacked class, averaged over reconstructions: how sure it is, where attack accuracy counts hits. */
export const evaluationConfidence = defineMetric({
  kind: "evaluation-confidence",
  name: "evaluation model's confidence",
  summary: "mean probability that the evaluation model gives the attacked identity",
  paper: "Struppek et al., Plug & Play Attacks, ICML 2022",
  measures: "leakage",
  direction: "higher",
  unit: "probability",
  range: [0, 1],
  ...meanOf(confidences),
});
