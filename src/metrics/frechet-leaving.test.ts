import fc from "fast-check";
import { expect, test } from "vitest";
import { random } from "../engine/random.ts";
import { frechetDistance, momentsOf } from "./frechet-distance.ts";
import { frechetLeaving } from "./frechet-leaving.ts";

const draw = (seed: number, name: string, count: number, d: number, shift: number): number[][] => {
  const rng = random(seed, name);
  return Array.from({ length: count }, () => [...rng.normals(d)].map((x) => x + shift));
};

test.each([
  ["fewer fake rows than features", 7, 12],
  ["more fake rows than features", 9, 5],
])("%s: what is left gives what frechetDistance says of it", (_, count, d) => {
  const which = (n: number) =>
    fc.subarray(
      Array.from({ length: n }, (_, i) => i),
      { maxLength: n - 3 },
    );
  fc.assert(
    fc.property(fc.nat(), which(20), which(count), (seed, leftReal, leftFake) => {
      const [real, fake] = [draw(seed, "real", 20, d, 0), draw(seed, "fake", count, d, 2)];
      const kept = (rows: number[][], left: readonly number[]) => rows.filter((_, i) => !left.includes(i));
      const want = frechetDistance(momentsOf(kept(real, leftReal), d), kept(fake, leftFake));
      // Roots of eigenvalues that are zero but for rounding count in both.
      expect(frechetLeaving(real, fake, d)(leftReal, leftFake)).toBeCloseTo(want, 5);
    }),
    { numRuns: 60 },
  );
});
