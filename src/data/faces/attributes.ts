import type { AttributeSpec } from "../dataset.ts";
import { geometryRanges, hexChannels, type Identity } from "./identity.ts";
import { partIds } from "./parts.ts";

interface Attribute extends AttributeSpec {
  readonly of: (identity: Identity) => readonly number[];
}

function category(name: string, kind: "hair" | "head" | "eye" | "nose", id: (identity: Identity) => string): Attribute {
  const ids = partIds(kind);
  return { name, kind: "category", size: ids.length, of: (identity) => [ids.indexOf(id(identity))] };
}

function measure(name: string, trait: keyof typeof geometryRanges): Attribute {
  const [low, high] = geometryRanges[trait];
  return { name, kind: "number", size: 1, of: ({ geometry }) => [(geometry[trait] - low) / (high - low)] };
}

const attributes: readonly Attribute[] = [
  {
    name: "skin tone",
    kind: "number",
    size: 3,
    of: ({ family }) => hexChannels(family.skin).map((c) => c / 255),
  },
  category("hair", "hair", ({ family }) => family.hair),
  category("head shape", "head", ({ family }) => family.head),
  category("eyes", "eye", ({ parts }) => parts.eye),
  category("nose", "nose", ({ parts }) => parts.nose),
  measure("mouth height", "mouthY"),
  measure("eye distance", "halfEyeDistance"),
];

/** The attributes whose truth is known of every drawn person. Lengths are scaled so that the population's range is 0 … 1. */
export const attributeSpecs: readonly AttributeSpec[] = attributes.map(({ name, kind, size }) => ({
  name,
  kind,
  size,
}));

/** A person's attributes in the order of `attributeSpecs`. */
export function attributeValues(identity: Identity): Float32Array {
  return Float32Array.from(attributes.flatMap((attribute) => attribute.of(identity)));
}
