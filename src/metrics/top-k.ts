/**
 * Whether each row's label is among its k highest logits: 1 for a hit, 0 otherwise.
 *
 * Ties count against the label: it hits only if fewer than k other classes have a logit at least as high. So a model that says
 * the same of every class scores 0, whatever its labels. A row with a NaN never hits.
 *
 * @param logits row-major, one row of `classes` values a label
 * @throws RangeError for arrays that do not fit together, a label outside [0, classes), or k outside [1, classes].
 */
export function hits(logits: Float32Array, labels: Int32Array, classes: number, k: number): Uint8Array {
  if (logits.length !== labels.length * classes) {
    throw new RangeError(
      `expected ${labels.length} × ${classes} logits for ${labels.length} labels of ${classes} classes, got ${logits.length}`,
    );
  }
  if (!Number.isInteger(k) || k < 1 || k > classes) throw new RangeError(`expected k in 1 … ${classes}, got ${k}`);
  return Uint8Array.from(labels, (label, i) => {
    if (label < 0 || label >= classes) {
      throw new RangeError(`label ${label} of image ${i} is not in 0 … ${classes - 1}`);
    }
    const row = logits.subarray(i * classes, (i + 1) * classes);
    if (row.some(Number.isNaN)) return 0;
    const own = row[label]!;
    let rivals = 0;
    for (let c = 0; c < classes; c++) if (c !== label && row[c]! >= own) rivals++;
    return rivals < k ? 1 : 0;
  });
}
