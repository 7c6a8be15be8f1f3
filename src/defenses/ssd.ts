import { createHash } from "node:crypto";
import { z } from "zod";
import { type Rng, random } from "../engine/random.ts";
import { defineDefense } from "./defense.ts";
import { nearestWithin } from "./water-filling.ts";

/**
 * Stealthy shield: each answer is moved, within a budget of distortion, towards what the target says on average of images of a class
 * that is drawn from the answer itself. That makes little of the conditional mutual information between images and answers, given the
 * class. The draw depends on the image, so that asking again gives nothing new: images that are equal in 8 bits get the same one.
 */
export const ssd = defineDefense({
  kind: "ssd",
  summary:
    "moves each answer towards the average one of its class; the weights, and so white-box attacks, are untouched",
  paper: "Stealthy Shield Defense, ICLR 2025",
  config: z.strictObject({
    temperature: z.number().positive().default(0.1).describe("T: the class is drawn from softmax(probabilities / T)"),
    budget: z
      .number()
      .min(0)
      .default(0.5)
      .describe("ε: an answer moves by at most ε times its own entropy (nats) in L1; 0.35 to 1.5 in the paper"),
  }),
  recipe: ({ temperature, budget }, { classes }) => ({
    outputs: {
      open({ probabilities, labels, seed }) {
        const means = classMeans(probabilities, labels, classes);
        return (answers, images) => {
          const rows = answers.length / classes;
          const length = images.length / rows;
          const out = new Float32Array(answers.length);
          for (let row = 0; row < rows; row++) {
            const f = answers.subarray(row * classes, (row + 1) * classes);
            const rng = random(seed, "ssd", digestOf(images.subarray(row * length, (row + 1) * length)));
            const entropy = f.reduce((h, p) => (p > 0 ? h - p * Math.log(p) : h), 0);
            out.set(nearestWithin(f, means[drawClass(f, temperature, rng)]!, budget * entropy), row * classes);
          }
          return out;
        };
      },
    },
  }),
});

/** For each class the mean of its rows. */
function classMeans(rows: Float32Array, labels: Int32Array, classes: number): Float64Array[] {
  const means = Array.from({ length: classes }, () => new Float64Array(classes));
  const counts = new Int32Array(classes);
  for (const [row, label] of labels.entries()) {
    counts[label]! += 1;
    for (let k = 0; k < classes; k++) means[label]![k]! += rows[row * classes + k]!;
  }
  return means.map((mean, y) => mean.map((sum) => sum / Math.max(1, counts[y]!)));
}

function drawClass(f: Float32Array, temperature: number, rng: Rng): number {
  const top = f.reduce((a, b) => Math.max(a, b));
  const odds = Array.from(f, (p) => Math.exp((p - top) / temperature));
  let left = rng.uniform() * odds.reduce((a, b) => a + b, 0);
  const drawn = odds.findIndex((p) => {
    left -= p;
    return left < 0;
  });
  // Rounding may leave a rest behind the last class.
  return drawn < 0 ? odds.length - 1 : drawn;
}

function digestOf(image: Float32Array): string {
  const bytes = Uint8Array.from(image, (x) => Math.round(255 * Math.min(1, Math.max(0, x))));
  return createHash("sha256").update(bytes).digest("hex");
}
