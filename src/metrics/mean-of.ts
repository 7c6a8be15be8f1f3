import { byIdentity, means } from "./by-identity.ts";
import { bootstrapByIdentity } from "./interval.ts";
import type { Measured } from "./measured.ts";
import type { Evidence, Metric } from "./metric.ts";

/** Values, and the class that each belongs to. */
export interface LabelledValues {
  readonly values: ArrayLike<number>;
  readonly labels: Int32Array;
}

/**
 * Both measurements of a metric that is a mean of values that belong to classes: the mean over all, with an interval from
 * resampling identities, and the mean of each class. Without any value there is no measurement.
 */
export function meanOf(
  valuesOf: (evidence: Evidence) => LabelledValues | Promise<LabelledValues>,
): Required<Pick<Metric, "measure" | "perIdentity">> {
  const grouped = async (evidence: Evidence) => {
    const { values, labels } = await valuesOf(evidence);
    return byIdentity(values, labels, evidence.classes.length);
  };
  return {
    async measure(evidence): Promise<Measured | undefined> {
      const groups = await grouped(evidence);
      return groups.every((values) => values.length === 0) ? undefined : bootstrapByIdentity(groups, evidence.seed);
    },
    perIdentity: async (evidence) => means(await grouped(evidence)),
  };
}
