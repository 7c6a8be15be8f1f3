/**
 * Sorts values by the label that each belongs to.
 * @param classes the number of classes; a class without values gets an empty list
 * @throws RangeError for a label outside [0, classes), or unless there is one label a value.
 */
export function byIdentity(values: ArrayLike<number>, labels: Int32Array, classes: number): number[][] {
  if (values.length !== labels.length) {
    throw new RangeError(`expected one label a value, got ${labels.length} labels for ${values.length} values`);
  }
  const groups: number[][] = Array.from({ length: classes }, () => []);
  labels.forEach((label, i) => {
    const group = groups[label];
    if (group === undefined) throw new RangeError(`label ${label} of image ${i} is not in 0 … ${classes - 1}`);
    group.push(values[i]!);
  });
  return groups;
}

/** The mean of each group; NaN for an empty one. */
export function means(groups: readonly (readonly number[])[]): Float64Array {
  return Float64Array.from(groups, (values) => values.reduce((sum, value) => sum + value, 0) / values.length);
}
