import { type LabelledValues, meanOf } from "./mean-of.ts";
import type { Evidence, Metric } from "./metric.ts";
import { checkAllFeatures, referencesByClass, squaredDistance } from "./nearest-reference.ts";

/** Each point has a ball that reaches to its so-manieth neighbour of its own set. PPA's number. */
export const NEIGHBOURS = 3;

type Row = Float32Array;

/** One class's feature vectors: private training images, and reconstructions. */
export interface TwoSets {
  readonly real: readonly Row[];
  readonly fake: readonly Row[];
}

/** Points with their balls. */
export interface Balls {
  readonly points: readonly Row[];
  /** Squared distance from each point to its k-th nearest other point. */
  readonly radii: Float64Array;
}

/** The balls of a set of points; undefined where it has too few to have k neighbours. */
export function ballsOf(points: readonly Row[], k = NEIGHBOURS): Balls | undefined {
  if (points.length <= k) return undefined;
  const radii = Float64Array.from(points, (point, i) => {
    const others = points.flatMap((other, j) => (j === i ? [] : [squaredDistance(point, other)]));
    return others.sort((a, b) => a - b)[k - 1]!;
  });
  return { points, radii };
}

/** In how many of the balls a point lies; a ball's edge belongs to it. */
export function containing({ points, radii }: Balls, point: Row): number {
  return points.reduce((found, centre, i) => found + (squaredDistance(centre, point) <= radii[i]! ? 1 : 0), 0);
}

/**
 * Both measurements of a metric on balls, class by class, as the mean of values of single images. Classes with too few images for
 * balls have no value, and without any there is no measurement.
 * @param values the values of a class's images; undefined where it has too few
 */
export function meanOfBalls(
  values: (sets: TwoSets) => readonly number[] | undefined,
): Pick<Metric, "measure" | "perIdentity"> {
  return meanOf((evidence: Evidence): LabelledValues => {
    checkAllFeatures(evidence);
    const { reconstructions, references, featureLength: d } = evidence;
    const row = (features: Float32Array, i: number) => features.subarray(i * d, (i + 1) * d);
    const real = referencesByClass(evidence);
    const found = [...new Set(reconstructions.labels)].flatMap((label) => {
      const sets = {
        real: real[label]!.map((i) => row(references.features, i)),
        fake: [...reconstructions.labels].flatMap((l, i) => (l === label ? [row(reconstructions.features, i)] : [])),
      };
      return (values(sets) ?? []).map((value) => ({ label, value }));
    });
    return { values: found.map(({ value }) => value), labels: Int32Array.from(found, ({ label }) => label) };
  });
}
