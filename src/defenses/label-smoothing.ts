import { z } from "zod";
import { constantSmoothing, type Smoothing } from "../models/train.ts";
import { defineDefense } from "./defense.ts";

/**
 * Smoothed cross-entropy (1 − α)·(−log p_y) + α·mean_k(−log p_k). Negative α hides what a class looks like; positive α shows it
 * (Struppek et al. 2024), and is here to be compared with.
 */
export const labelSmoothing = defineDefense({
  kind: "label-smoothing",
  summary: "trains on smoothed targets: a negative share hampers inversion, a positive one helps it",
  paper: "Struppek et al., Be Careful What You Smooth For, ICLR 2024",
  config: z.strictObject({
    alpha: z
      .number()
      .gt(-1)
      .lt(1)
      .default(-0.05)
      .describe(
        "share of each target spread over all classes; negative: taken from all classes and added to the target",
      ),
    schedule: z
      .enum(["constant", "late"])
      .optional()
      .describe(
        "late: from half of the epochs on, rising, and in full from three quarters on, as the paper trains with negative alpha; by default late for negative alpha, else constant",
      ),
  }),
  recipe: ({ alpha, schedule = alpha < 0 ? "late" : "constant" }) => ({
    smoothing: schedule === "late" ? lateSmoothing(alpha) : constantSmoothing(alpha),
  }),
});

/**
 * 0 in the first half of N epochs, α·(e − N/2 + 1)/(N/2) in epoch e of the third quarter (not beyond α), α in the last quarter: of 100
 * epochs 0 before epoch 50 and α·(e − 49)/50 before 75, as in the paper's code. The last epoch has α however few there are.
 * Late, because with α < 0 the loss has no lower bound and would have nothing to settle at.
 */
export function lateSmoothing(alpha: number): Smoothing {
  return {
    share(epoch, epochs) {
      const half = epochs / 2;
      const last = epoch + 1 >= epochs;
      if (epoch < half && !last) return 0;
      return epoch < 1.5 * half && !last ? alpha * Math.min(1, (epoch - half + 1) / half) : alpha;
    },
    settled: (epochs) => 0.75 * epochs,
  };
}
