import { byIdentity } from "./by-identity.ts";
import type { Evidence } from "./metric.ts";

/** @throws RangeError unless there is one feature vector a label. */
function checkFeatures(of: string, labels: Int32Array, features: Float32Array, length: number): void {
  if (features.length !== labels.length * length) {
    throw new RangeError(`${of}: expected ${labels.length} × ${length} features, got ${features.length}`);
  }
}

/**
 * For each reconstruction the squared L2 distance ‖φ(x) − φ(x′)‖² to the nearest private training image x′ of the attacked class,
 * φ the evaluation model's features.
 * @throws RangeError for arrays that do not fit together, an attacked class without references, or a distance that is not finite.
 */
export function nearestReference({ classes, reconstructions, references, featureLength }: Evidence): Float64Array {
  checkFeatures("reconstructions", reconstructions.labels, reconstructions.features, featureLength);
  checkFeatures("references", references.labels, references.features, featureLength);
  const ofClass = byIdentity([...references.labels.keys()], references.labels, classes.length);
  return Float64Array.from(reconstructions.labels, (label, i) => {
    const rows = ofClass[label] ?? [];
    if (rows.length === 0) {
      throw new RangeError(`class ${label} (${classes[label] ?? "unknown"}) has reconstructions but no reference`);
    }
    let nearest = Infinity;
    for (const row of rows) {
      let distance = 0;
      for (let j = 0; j < featureLength; j++) {
        const gap = reconstructions.features[i * featureLength + j]! - references.features[row * featureLength + j]!;
        distance += gap * gap;
      }
      // Math.min hands a NaN on, where a comparison would pass over it.
      nearest = Math.min(nearest, distance);
    }
    if (!Number.isFinite(nearest)) {
      throw new RangeError(`reconstruction ${i} of class ${label}: its distance to the references is ${nearest}`);
    }
    return nearest;
  });
}
