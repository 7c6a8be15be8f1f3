import { defineMetric } from "./metric.ts";
import { ballsOf, containing, meanOfBalls } from "./neighbour-balls.ts";

const common = {
  paper: "Kynkäänniemi et al., Improved Precision and Recall Metric for Assessing Generative Models, NeurIPS 2019",
  measures: "leakage",
  direction: "higher",
  unit: "rate",
  range: [0, 1],
} as const;

/** Share of reconstructions that lie in the ball of any private training image of their class (k = 3). */
export const precision = defineMetric({
  kind: "precision",
  name: "precision",
  summary:
    "share of reconstructions among the private training images of their class: within the distance of any of these to its third neighbour",
  ...common,
  ...meanOfBalls(({ real, fake }) => {
    const balls = ballsOf(real);
    return balls && fake.map((point) => (containing(balls, point) > 0 ? 1 : 0));
  }),
});

/** Share of private training images that lie in the ball of any reconstruction of their class (k = 3); needs four reconstructions an identity. */
export const recall = defineMetric({
  kind: "recall",
  name: "recall",
  summary:
    "share of private training images of the attacked identities within the distance of any reconstruction to its third neighbour; needs four reconstructions an identity",
  ...common,
  ...meanOfBalls(({ real, fake }) => {
    const balls = ballsOf(fake);
    return balls && real.map((point) => (containing(balls, point) > 0 ? 1 : 0));
  }),
});
