import { describe, expect, it } from "vitest";
import { attributeSpecs, attributeValues } from "./attributes.ts";
import { type Geometry, geometryRanges, identityAt, memberKinds, type Population, type Range } from "./identity.ts";

const population: Population = { seed: 7, family: 5, identityDistance: 0.6 };
const people = (of: Population, range: Range, n: number) =>
  Array.from({ length: n }, (_, i) => identityAt(of, range, i));
const geometryNames = Object.keys(geometryRanges) as (keyof Geometry)[];

/** The mean distance of two members of a family, as a part of each trait's range. */
function geometrySpread(of: Population): number {
  const all = people(of, "private", 40);
  let sum = 0;
  let count = 0;
  for (let i = 0; i < all.length; i++) {
    for (let j = i + 1; j < Math.floor(i / 5) * 5 + 5; j++) {
      for (const name of geometryNames) {
        const [low, high] = geometryRanges[name];
        sum += Math.abs(all[i]!.geometry[name] - all[j]!.geometry[name]) / (high - low);
        count++;
      }
    }
  }
  return sum / count;
}

/** The number of part kinds in which some two members of a family differ, at most over families. */
function differingKinds(of: Population): number {
  const all = people(of, "private", 40);
  const counts = Array.from({ length: 8 }, (_, f) => {
    const family = all.slice(f * 5, f * 5 + 5);
    return memberKinds.filter((kind) => new Set(family.map(({ parts }) => parts[kind])).size > 1).length;
  });
  return Math.max(...counts);
}

describe("identities", () => {
  it("never occur in two ranges, nor twice in one", () => {
    const ranges: Range[] = ["private", "public", "pretraining", "attributes"];
    const all = ranges.flatMap((range) => people(population, range, 200).map((person) => JSON.stringify(person)));
    expect(new Set(all).size).toBe(all.length);
    const families = ranges.flatMap((range) =>
      [0, 5, 10, 15].map((i) => JSON.stringify(identityAt(population, range, i).family)),
    );
    expect(new Set(families).size).toBe(families.length);
  });

  it("depend on seed, range and number alone", () => {
    const later = people(population, "private", 12)[11];
    expect(identityAt(population, "private", 11)).toEqual(later);
    expect(identityAt({ ...population, seed: 8 }, "private", 11)).not.toEqual(later);
  });

  it("share a family's traits and differ from one another in visible parts", () => {
    const all = people(population, "private", 50);
    for (let i = 0; i < 50; i++) {
      const first = all[Math.floor(i / 5) * 5]!;
      expect(all[i]!.family).toEqual(first.family);
      if (i % 5 > 0) {
        expect(all[i]!.parts.eye).not.toBe(first.parts.eye);
        expect(all[i]!.parts.eyebrow).not.toBe(first.parts.eyebrow);
        expect(all[i]!.parts.ear).toBe(first.parts.ear);
      }
    }
    expect(all[0]!.family).not.toEqual(all[5]!.family);
  });

  it("keep every continuous trait within its range", () => {
    for (const identityDistance of [0.1, 1]) {
      for (const { geometry, family } of people({ ...population, identityDistance }, "private", 300)) {
        for (const name of geometryNames) {
          const [low, high] = geometryRanges[name];
          expect(geometry[name]).toBeGreaterThanOrEqual(low);
          expect(geometry[name]).toBeLessThanOrEqual(high);
        }
        expect(family.skin).toMatch(/^#[0-9a-f]{6}$/);
        expect(family.fatness).toBeLessThan(family.gender === "female" ? 0.4 : 1);
      }
    }
  });

  it("move apart with the identity distance, in parts and in geometry", () => {
    const at = (identityDistance: number) => ({ ...population, identityDistance });
    expect(differingKinds(at(0.01))).toBe(1);
    expect(differingKinds(at(0.5))).toBe(4);
    expect(differingKinds(at(1))).toBeGreaterThan(5);
    expect(geometrySpread(at(0.2)) / geometrySpread(at(1))).toBeCloseTo(0.2, 6);
  });
});

describe("attributes", () => {
  it("lie in their range and lay out as their specs say", () => {
    const length = attributeSpecs.reduce((sum, { kind, size }) => sum + (kind === "number" ? size : 1), 0);
    for (const person of people(population, "attributes", 200)) {
      const values = attributeValues(person);
      expect(values.length).toBe(length);
      let at = 0;
      for (const { kind, size, name } of attributeSpecs) {
        for (let i = 0; i < (kind === "number" ? size : 1); i++, at++) {
          const value = values[at]!;
          expect(value, name).toBeGreaterThanOrEqual(0);
          if (kind === "number") expect(value, name).toBeLessThanOrEqual(1);
          else expect(Number.isInteger(value) && value < size, name).toBe(true);
        }
      }
    }
  });
});
