import { accuracy } from "./accuracy.ts";
import { defineMetric } from "./metric.ts";

/** Share of private test images that the target classifies correctly, top-1. */
export const naturalAccuracy = defineMetric({
  kind: "natural-accuracy",
  name: "natural accuracy",
  summary: "share of private test images that the target classifies correctly",
  measures: "utility",
  direction: "higher",
  unit: "rate",
  range: [0, 1],
  ...accuracy(({ natural }) => natural, 1),
});
