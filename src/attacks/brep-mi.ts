import { z } from "zod";
import { type Rng, random } from "../engine/random.ts";
import { createStore, type Store } from "../engine/store.ts";
import { filled, tensor } from "../engine/tensor.ts";
import { runLoop, type Work } from "../engine/work.ts";
import type { LabelsAccess } from "./access.ts";
import { defineAttack } from "./attack.ts";
import { labelsOf } from "./selection.ts";
import type { SearchSpace } from "./space.ts";

const config = z.strictObject({
  iterations: z.int().positive().default(10000).describe("the most iterations that a latent takes"),
  patience: z
    .int()
    .positive()
    .default(1000)
    .describe("iterations in which its sphere does not grow, after which a latent is done"),
  samples: z
    .int()
    .positive()
    .default(32)
    .describe("N, points on the sphere around a latent whose labels are asked for"),
  radius: z.number().positive().default(2).describe("R of the first sphere"),
  growth: z.number().gt(1).default(1.3).describe("what R is multiplied by where a sphere shows the identity"),
  inside: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.875)
    .describe("a sphere grows where more than this share of its points is seen as the identity"),
  stepLimit: z.number().positive().default(3).describe("the longest step; R/3 where that is less"),
  clamp: z.number().positive().default(1.5).describe("latents are held to ± this"),
  draws: z
    .int()
    .positive()
    .default(100_000)
    .describe("random latents tried as first ones; an identity that none of them shows keeps a random latent"),
  batch: z.int().positive().default(16).describe("latents that move side by side"),
});

/** Random latents tried at a time (released code). */
const DRAW = 256;

/**
 * BREP-MI: from a latent that the target labels as the identity, away from the points of a sphere around it that it labels otherwise;
 * the sphere grows whenever it lies within the class. So a latent moves towards the middle of its class (algorithm 1). What it ends
 * with is where its sphere last grew.
 *
 * Step lengths, clamp and the share of points that count as all are the released code's. Unlike there, a latent stands still while its
 * sphere grows, as in the paper, and steps that are not taken count as iterations, so that every search ends.
 */
export const brepMi = defineAttack({
  kind: "brep-mi",
  summary: "moves a latent away from the target's decision boundary, from labels alone",
  paper: "Kahla et al., Label-Only Model Inversion Attacks via Boundary Repulsion, CVPR 2022",
  access: "labels",
  prior: "dcgan",
  config,
  quick: { iterations: 80, patience: 30, samples: 12, radius: 1, clamp: 3, draws: 20_000 },
  async run({ target, space, identities, perIdentity, config: c, seed, work }) {
    const { width } = space;
    const labels = labelsOf(identities, perIdentity);
    const rows = labels.length;
    const first = await firstPoints({ target, space, labels, clamp: c.clamp, draws: c.draws, seed, work });
    const found = first.get("found").data;
    // The few draws of a rehearsal find hardly a row, and rows that were not found ask nothing more.
    if (work.rehearsal !== undefined) found.fill(1);
    const store = createStore({
      point: first.get("point"),
      kept: first.get("point"),
      radius: filled([rows], c.radius),
      // Iterations since the sphere last grew.
      idle: tensor(
        found.map((yes) => (yes === 1 ? 0 : c.patience)),
        [rows],
      ),
    });
    const rowOf = (name: "point" | "kept", row: number) =>
      store.get(name).data.subarray(row * width, (row + 1) * width);
    const [radius, idle] = [store.get("radius").data, store.get("idle").data];

    /** Whether the target sees each row's class in its points [rows · each, width], point by point. */
    const seen = async (active: readonly number[], points: Float32Array, each: number): Promise<boolean[]> => {
      const wanted = Int32Array.from(
        { length: active.length * each },
        (_, i) => labels[active[Math.floor(i / each)]!]!,
      );
      const answers = await target.labels(await space.render(points, wanted));
      return Array.from(answers, (label, i) => label === wanted[i]);
    };

    async function iterate(active: readonly number[], rng: Rng): Promise<void> {
      const offsets = spheres(
        active.map((row) => radius[row]!),
        c.samples,
        width,
        rng,
      );
      const around = offsets.map(
        (x, i) => rowOf("point", active[Math.floor(i / (c.samples * width))]!)[i % width]! + x,
      );
      const inside = await seen(active, around, c.samples);
      const moving: number[] = [];
      const moved: Float32Array[] = [];
      for (const [i, row] of active.entries()) {
        const hits = inside.slice(i * c.samples, (i + 1) * c.samples);
        const r = radius[row]!;
        if (hits.filter(Boolean).length > c.inside * c.samples) {
          rowOf("kept", row).set(rowOf("point", row));
          radius[row] = r * c.growth;
          idle[row] = 0;
          continue;
        }
        idle[row]! += 1;
        // The mean over all points, in which those inside are 0, of −u/R.
        const step = Math.min(r / 3, c.stepLimit) / (c.samples * r);
        const next = Float32Array.from(rowOf("point", row));
        for (const [k, hit] of hits.entries())
          if (!hit) for (let j = 0; j < width; j++) next[j]! -= step * offsets[(i * c.samples + k) * width + j]!;
        moving.push(row);
        moved.push(held(next, c.clamp));
      }
      if (moving.length === 0) return;
      const points = new Float32Array(moved.length * width);
      for (const [i, next] of moved.entries()) points.set(next, i * width);
      const stays = await seen(moving, points, 1);
      // A step that leaves the class is not taken.
      for (const [i, row] of moving.entries()) if (stays[i]) rowOf("point", row).set(moved[i]!);
    }

    await runLoop({
      work,
      name: "brep-mi",
      total: Math.ceil(rows / c.batch) * c.iterations,
      unit: "iterations",
      store,
      async open() {
        return async (step) => {
          const from = Math.floor(step / c.iterations) * c.batch;
          const iteration = step % c.iterations;
          const present = Array.from({ length: Math.min(c.batch, rows - from) }, (_, i) => from + i);
          const active = present.filter((row) => idle[row]! < c.patience);
          if (active.length > 0) await iterate(active, random(seed, "brep-mi", from, iteration));
          const mean = present.reduce((sum, row) => sum + radius[row]!, 0) / present.length;
          if (active.length > 0 && (iteration + 1) % 20 === 0)
            await work.log({ attack: "brep-mi", batch: from / c.batch, iteration: iteration + 1, radius: mean });
          return { radius: mean, active: active.length };
        };
      },
    });
    return { rows: Float32Array.from(store.get("kept").data), labels };
  },
});

/** For each radius `samples` random points [radii · samples, width] of the sphere around 0. */
function spheres(radii: readonly number[], samples: number, width: number, rng: Rng): Float32Array {
  const points = rng.normals(radii.length * samples * width);
  for (let at = 0; at < points.length; at += width) {
    const point = points.subarray(at, at + width);
    const scale = radii[Math.floor(at / (samples * width))]! / Math.hypot(...point);
    for (let j = 0; j < width; j++) point[j]! *= scale;
  }
  return points;
}

function held(points: Float32Array, limit: number): Float32Array {
  return points.map((x) => Math.min(limit, Math.max(-limit, x)));
}

/**
 * For each row a random latent, `point` [rows, width], whose image the target labels as the row's class, and 1 in `found` [rows]; where
 * `draws` of them show none, a random latent, and 0. Every drawn latent serves the first row of its class that still lacks one.
 */
async function firstPoints(options: {
  readonly target: LabelsAccess;
  readonly space: SearchSpace;
  /** Each row's class. */
  readonly labels: Int32Array;
  readonly clamp: number;
  readonly draws: number;
  readonly seed: number;
  readonly work: Work;
}): Promise<Store> {
  const { target, space, labels, clamp, draws, seed, work } = options;
  const { width } = space;
  const store = createStore({
    point: tensor(held(await space.draw(labels.length, seed, "brep-mi"), clamp), [labels.length, width]),
    found: filled([labels.length], 0),
  });
  const [point, found] = [store.get("point").data, store.get("found").data];
  await runLoop({
    work,
    name: "brep-mi-first",
    total: Math.ceil(draws / DRAW),
    unit: `draws of ${DRAW} latents`,
    store,
    async open() {
      return async (step) => {
        if (found.includes(0)) {
          const count = Math.min(DRAW, draws - step * DRAW);
          const drawn = held(await space.draw(count, seed, "brep-mi", step), clamp);
          const answers = await target.labels(await space.render(drawn, new Int32Array(count)));
          for (const [i, label] of answers.entries()) {
            const row = labels.findIndex((wanted, r) => wanted === label && found[r] === 0);
            if (row < 0) continue;
            found[row] = 1;
            point.set(drawn.subarray(i * width, (i + 1) * width), row * width);
          }
        }
        return { found: found.reduce((sum, yes) => sum + yes, 0) };
      };
    },
  });
  return store;
}
