import type { ImageSet } from "../data/dataset.ts";
import { subset } from "../data/subset.ts";

/**
 * Top-n selection (Yuan et al., AAAI 2023, section 3.2): for each private class the `top` public images that the target gives the highest
 * probability of it, all where there are fewer. An image may serve several classes.
 * @param scores the target's probabilities, row by row: [images.size, classes]
 */
export function pseudoLabelled(images: ImageSet, scores: Float32Array, classes: number, top: number): ImageSet {
  const chosen: number[] = [];
  const labels: number[] = [];
  for (let label = 0; label < classes; label++) {
    const score = (i: number) => scores[i * classes + label]!;
    const best = Array.from({ length: images.size }, (_, i) => i).sort((a, b) => score(b) - score(a));
    for (const i of best.slice(0, top)) {
      chosen.push(i);
      labels.push(label);
    }
  }
  return subset(images, chosen, {
    name: `${images.name}, pseudo-labelled`,
    classes: Array.from({ length: classes }, (_, label) => `class ${label}`),
    labels: Int32Array.from(labels),
  });
}
