import fc from "fast-check";
import { expect, test } from "vitest";
import { type Featured, featureEvidence } from "../../test/support/evidence.ts";
import { random } from "../engine/random.ts";
import { coverage, density } from "./density-coverage.ts";
import { ballsOf } from "./neighbour-balls.ts";
import { precision, recall } from "./precision-recall.ts";

const on = (label: number, ...places: number[]): Featured[] => places.map((x) => [label, [x]]);
const line = (fake: readonly Featured[], real: readonly Featured[]) => featureEvidence(fake, real, { length: 1 });

// Private images at 0, 1, 2, 3, 10: distances to the third neighbour are 3, 2, 2, 3, 9.
const real = on(0, 0, 1, 2, 3, 10);

test("the radius is the distance to the third neighbour, the point itself not counted", () => {
  const balls = ballsOf([0, 1, 2, 3, 10].map((x) => Float32Array.of(x)));
  expect([...balls!.radii]).toEqual([9, 4, 4, 9, 81]);
  expect(ballsOf([0, 1, 2].map((x) => Float32Array.of(x)))).toBeUndefined();
});

test("on a line, worked out by hand", async () => {
  // 1.5 lies in the balls around 0, 1, 2, 3 and 10 (8.5 ≤ 9); −3 in that of 0 (its edge); 20 and −30 in none.
  const e = line(on(0, 1.5, -3, 20, -30), real);
  expect(await precision.measure(e)).toMatchObject({ value: 2 / 4, n: 4 });
  expect((await density.measure(e))?.value).toBeCloseTo((5 + 1) / 3 / 4, 12);
  // Each of the five private images has 1.5 in its own ball.
  expect(await coverage.measure(e)).toMatchObject({ value: 1, n: 5 });
  // Third neighbours of the reconstructions are 31.5, 27, 50 and 50 away: the balls hold every private image.
  expect((await recall.measure(e))?.value).toBe(1);
});

test("coverage and recall show what is left out", async () => {
  const e = line(on(0, 10.1, 10.2, 10.3, 10.4), real);
  // All lie in the ball around 10, and no other reaches so far; the reconstructions' own balls are 0.3 wide at most.
  expect((await coverage.measure(e))?.value).toBe(1 / 5);
  expect((await recall.measure(e))?.value).toBe(1 / 5);
  expect((await precision.measure(e))?.value).toBe(1);
  expect((await density.measure(e))?.value).toBeCloseTo(1 / 3, 12);
});

test("another class's private images do not count, and classes count by their images", async () => {
  const e = line([...on(0, 100), ...on(1, 0)], [...real, ...on(1, 50, 51, 52, 53), ...on(2, 99, 100, 101, 102)]);
  expect((await precision.measure(e))?.value).toBe(0);
  expect([...(await precision.perIdentity(e))]).toEqual([0, 0, Number.NaN]);
});

test("too few images for three neighbours: no measurement", async () => {
  const few = line(on(0, 1, 2, 3), on(0, 1, 2, 3));
  for (const metric of [precision, recall, density, coverage]) expect(await metric.measure(few)).toBeUndefined();
  // Three reconstructions have no balls of their own; the private images have.
  expect(await recall.measure(line(on(0, 1, 2, 3), real))).toBeUndefined();
  expect(await precision.measure(line(on(0, 1, 2, 3), real))).toBeDefined();
});

test("of equal sets all is covered; precision and recall change places with the sets", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      const rng = random(seed, "points");
      const side = (shift: number): Featured[] =>
        Array.from({ length: 7 }, () => [0, [...rng.normals(2)].map((x) => x + shift)]);
      const [a, b] = [side(0), side(1)];
      const same = featureEvidence(a, a);
      for (const metric of [precision, recall, coverage]) expect((await metric.measure(same))?.value).toBe(1);
      // Each point lies in its own ball, and those of its neighbours reach three others each on average.
      expect((await density.measure(same))?.value).toBeCloseTo(4 / 3, 12);
      const [one, other] = [featureEvidence(a, b), featureEvidence(b, a)];
      expect((await precision.measure(one))?.value).toBe((await recall.measure(other))?.value);
    }),
    { numRuns: 20 },
  );
});
