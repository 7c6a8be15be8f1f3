import { expect, test } from "vitest";
import { memoryWork } from "../../test/support/memory-work.ts";
import { NETWORKS } from "../../test/support/tiny-world.ts";
import { random } from "../engine/random.ts";
import type { LabelsAccess } from "./access.ts";
import { brepMi } from "./brep-mi.ts";
import type { SearchSpace } from "./space.ts";

/** A plane whose points are their own images; the target sees class 1 right of the line x = 0. */
const plane: SearchSpace = {
  width: 2,
  byClass: false,
  draw: async (count, seed, ...path) => random(seed, "latents", ...path).normals(2 * count),
  render: async (rows) => Float32Array.from(rows),
  release: async () => {},
};

function rightOfLine() {
  const asked: Float32Array[] = [];
  const labels = async (points: Float32Array) => {
    asked.push(points);
    return Int32Array.from({ length: points.length / 2 }, (_, i) => (points[2 * i]! > 0 ? 1 : 0));
  };
  const target: LabelsAccess = { classes: 2, image: [1, 1, 2], labels };
  return { asked, target };
}

const run = (target: LabelsAccess, change: object = {}, identities: readonly number[] = [1]) => {
  const work = memoryWork();
  const found = brepMi.run({
    target,
    prior: { kind: "dcgan", networks: NETWORKS.dcgan, state: {} },
    space: plane,
    identities,
    perIdentity: 3,
    config: brepMi.config.parse({ iterations: 60, radius: 0.3, patience: 20, ...change }),
    seed: 7,
    work,
  });
  return { work, found };
};

test("moves away from the boundary while the sphere grows within the class", async () => {
  const { target, asked } = rightOfLine();
  const { found, work } = run(target);
  const { rows } = await found;
  const first = [...asked[0]!].filter((x, i) => i % 2 === 0 && x > 0);
  // The first three latents that the target labelled so are the starts.
  expect(rows.length).toBe(6);
  for (const [i, x] of [0, 2, 4].map((at) => rows[at]!).entries()) expect(x).toBeGreaterThanOrEqual(first[i]! - 1e-6);
  expect(
    Math.min(rows[0]!, rows[2]!, rows[4]!),
    "a sphere of radius 0.3 · 1.3ⁿ fits between line and clamp",
  ).toBeGreaterThan(0.5);
  const radii = work.steps.flatMap(({ radius }) => radius ?? []);
  expect(radii.at(-1)!).toBeGreaterThan(0.6);
  for (const [i, radius] of radii.entries()) if (i > 0) expect(radius).toBeGreaterThanOrEqual(radii[i - 1]!);
});

test("asks for the points on a sphere around each latent and for one candidate, until no sphere grows any more", async () => {
  const { target, asked } = rightOfLine();
  const { found, work } = run(target, { samples: 10, iterations: 300 });
  await found;
  const [spheres, candidates] = [
    asked.slice(1).filter((points) => points.length % 20 === 0),
    asked.slice(1).filter((points) => points.length % 20 !== 0),
  ];
  expect(spheres[0]!.length / 2).toBe(3 * 10);
  for (const points of candidates) expect(points.length / 2).toBeLessThanOrEqual(3);
  expect(candidates.every((points) => points.every((x) => Math.abs(x) <= 1.5))).toBe(true);
  expect(work.steps.at(-1)!.active).toBe(0);
});

test("an identity that no random latent shows keeps a random one, and nothing is asked for it", async () => {
  const { target, asked } = rightOfLine();
  const never = { ...target, classes: 3 };
  const { found, work } = run(never, { draws: 300 }, [2]);
  expect((await found).rows.length).toBe(6);
  expect(asked.map((p) => p.length / 2)).toEqual([256, 44]);
  expect(work.steps.flatMap(({ active }) => active ?? [])).toEqual(Array.from({ length: 60 }, () => 0));
});
