import { defineMetric } from "./metric.ts";
import { ballsOf, containing, meanOfBalls, NEIGHBOURS } from "./neighbour-balls.ts";

const common = {
  paper: "Naeem et al., Reliable Fidelity and Diversity Metrics for Generative Models, ICML 2020",
  measures: "leakage",
  direction: "higher",
} as const;

/**
 * How densely reconstructions lie among private training images of their class: in how many of their balls one lies, divided by k = 3,
 * averaged over reconstructions. Above 1 where they crowd together. PPA's code divides by the number of private images instead of that of
 * reconstructions.
 */
export const density = defineMetric({
  kind: "density",
  name: "density",
  summary:
    "in how many third-neighbour balls of private training images of its class a reconstruction lies, divided by three; may exceed 1",
  unit: "ratio",
  range: [0, Number.POSITIVE_INFINITY],
  ...common,
  ...meanOfBalls(({ real, fake }) => {
    const balls = ballsOf(real);
    return balls && fake.map((point) => containing(balls, point) / NEIGHBOURS);
  }),
});

/** Share of private training images of the attacked identities with a reconstruction of their class in their own ball (k = 3). */
export const coverage = defineMetric({
  kind: "coverage",
  name: "coverage",
  summary:
    "share of private training images of the attacked identities with a reconstruction nearer than their third neighbour",
  unit: "rate",
  range: [0, 1],
  ...common,
  ...meanOfBalls(({ real, fake }) => {
    const balls = ballsOf(real);
    return balls?.points.map((point, i) => {
      const own = { points: [point], radii: balls.radii.subarray(i, i + 1) };
      return fake.some((found) => containing(own, found) > 0) ? 1 : 0;
    });
  }),
});
