import { accuracy } from "./accuracy.ts";
import { defineMetric } from "./metric.ts";

const paper =
  "Zhang et al., The Secret Revealer: Generative Model-Inversion Attacks Against Deep Neural Networks, CVPR 2020";

/** Share of reconstructions in which the evaluation model sees the attacked identity first. */
export const attackAccuracy = defineMetric({
  kind: "attack-accuracy",
  name: "attack accuracy",
  summary: "share of reconstructions that the evaluation model takes for the attacked identity",
  paper,
  measures: "leakage",
  direction: "higher",
  unit: "rate",
  range: [0, 1],
  ...accuracy(({ reconstructions }) => reconstructions, 1),
});

/** Share of reconstructions in which the evaluation model has the attacked identity among its first five; always 1 up to five classes. */
export const attackAccuracyTop5 = defineMetric({
  kind: "attack-accuracy-top5",
  name: "attack accuracy, top 5",
  summary:
    "share of reconstructions with the attacked identity among the evaluation model's first five (all classes where there are fewer; says nothing up to five)",
  paper,
  measures: "leakage",
  direction: "higher",
  unit: "rate",
  range: [0, 1],
  ...accuracy(({ reconstructions }) => reconstructions, 5),
});
