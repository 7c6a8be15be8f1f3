import type { AttributeSpec } from "../data/dataset.ts";

/** Where one attribute stands in a person's values and in a regressor's output row. */
export interface AttributePlace {
  readonly spec: AttributeSpec;
  /** First index in a person's values (numbers take `size` of them, a category one). */
  readonly valueAt: number;
  /** First column in an output row (`size` columns: the numbers, or one logit a category). */
  readonly columnAt: number;
}

const valuesOf = (spec: AttributeSpec) => (spec.kind === "number" ? spec.size : 1);

/** The places of all attributes, in the order of `specs`. */
export function attributeLayout(specs: readonly AttributeSpec[]): readonly AttributePlace[] {
  let valueAt = 0;
  let columnAt = 0;
  return specs.map((spec) => {
    const place = { spec, valueAt, columnAt };
    valueAt += valuesOf(spec);
    columnAt += spec.size;
    return place;
  });
}

/** Length of a regressor's output row over all attributes. */
export function attributeWidth(specs: readonly AttributeSpec[]): number {
  return specs.reduce((width, spec) => width + spec.size, 0);
}

/** @throws RangeError for values of another length than `specs` asks for, or a category that does not exist. */
export function checkAttributeValues(specs: readonly AttributeSpec[], values: Float32Array): void {
  const length = specs.reduce((sum, spec) => sum + valuesOf(spec), 0);
  if (values.length !== length) throw new RangeError(`expected ${length} attribute values, got ${values.length}`);
  for (const { spec, valueAt } of attributeLayout(specs)) {
    const value = values[valueAt]!;
    if (spec.kind === "category" && !(Number.isInteger(value) && value >= 0 && value < spec.size)) {
      throw new RangeError(`${spec.name}: expected a category in 0 … ${spec.size - 1}, got ${value}`);
    }
  }
}

/**
 * What a regressor's output row should be for a person: the numbers as they are, categories one-hot.
 * @throws RangeError for values of another length than `specs` asks for, or a category that does not exist.
 */
export function attributeTargets(specs: readonly AttributeSpec[], values: Float32Array): Float32Array {
  checkAttributeValues(specs, values);
  const row = new Float32Array(attributeWidth(specs));
  for (const { spec, valueAt, columnAt } of attributeLayout(specs)) {
    if (spec.kind === "number") row.set(values.subarray(valueAt, valueAt + spec.size), columnAt);
    else row[columnAt + values[valueAt]!] = 1;
  }
  return row;
}
