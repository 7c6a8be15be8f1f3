import { byIdentity } from "./by-identity.ts";
import type { Evidence } from "./metric.ts";

/** @throws RangeError unless there is one feature vector a label. */
function checkFeatures(of: string, labels: Int32Array, features: Float32Array, length: number): void {
  if (features.length !== labels.length * length) {
    throw new RangeError(`${of}: expected ${labels.length} × ${length} features, got ${features.length}`);
  }
}

/** @throws RangeError for features of reconstructions or references that do not fit their labels. */
export function checkAllFeatures({ reconstructions, references, featureLength }: Evidence): void {
  checkFeatures("reconstructions", reconstructions.labels, reconstructions.features, featureLength);
  checkFeatures("references", references.labels, references.features, featureLength);
}

/** For each class the positions of its references. */
export function referencesByClass({ classes, references: { labels } }: Evidence): number[][] {
  return byIdentity([...labels.keys()], labels, classes.length);
}

/**
 * One number a reconstruction, from the rows of features of its class's references.
 * @throws RangeError for arrays that do not fit together, an attacked class without references, or a number that is not finite.
 */
export function againstReferences(
  evidence: Evidence,
  measure: (reconstruction: Float32Array, references: readonly Float32Array[], label: number) => number,
): Float64Array {
  checkAllFeatures(evidence);
  const { classes, reconstructions, references, featureLength: d } = evidence;
  const row = (features: Float32Array, i: number) => features.subarray(i * d, (i + 1) * d);
  const ofClass = referencesByClass(evidence).map((rows) => rows.map((i) => row(references.features, i)));
  return Float64Array.from(reconstructions.labels, (label, i) => {
    const rows = ofClass[label] ?? [];
    if (rows.length === 0) {
      throw new RangeError(`class ${label} (${classes[label] ?? "unknown"}) has reconstructions but no reference`);
    }
    const found = measure(row(reconstructions.features, i), rows, label);
    if (!Number.isFinite(found)) {
      throw new RangeError(`reconstruction ${i} of class ${label}: its distance to the references is ${found}`);
    }
    return found;
  });
}

/** ‖a − b‖² */
export function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let distance = 0;
  for (let j = 0; j < a.length; j++) {
    const gap = a[j]! - b[j]!;
    distance += gap * gap;
  }
  return distance;
}

/**
 * For each reconstruction the squared L2 distance ‖φ(x) − φ(x′)‖² to the nearest private training image x′ of the attacked class,
 * φ the evaluation model's features.
 * @throws RangeError as `againstReferences`.
 */
export function nearestReference(evidence: Evidence): Float64Array {
  // Math.min hands a NaN on, where a comparison would pass over it.
  return againstReferences(evidence, (x, references) =>
    references.reduce((nearest, y) => Math.min(nearest, squaredDistance(x, y)), Number.POSITIVE_INFINITY),
  );
}
