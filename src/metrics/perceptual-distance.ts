import { meanOf } from "./mean-of.ts";
import { defineMetric } from "./metric.ts";
import { closestPictures, single } from "./nearest-picture.ts";
import { squaredDistance } from "./nearest-reference.ts";

/** Perceptual distance to the nearest private training image of the attacked class, in the layers of the evaluation model: see `perceptualEmbedding`. */
export const perceptualDistance = defineMetric({
  kind: "perceptual-distance",
  name: "perceptual distance",
  summary:
    "distance to the nearest private training image of the attacked identity in normalised activations of the evaluation model's layers; LPIPS without its trained weights",
  paper: "Zhang et al., The Unreasonable Effectiveness of Deep Features as a Perceptual Metric, CVPR 2018",
  measures: "leakage",
  direction: "lower",
  unit: "squared L2",
  range: [0, 4],
  ...meanOf((evidence) =>
    closestPictures(evidence, {
      prepare: async ({ images, count }) => single({ images: await evidence.pictures.embed(images, count), count }),
      compare: squaredDistance,
      closest: Math.min,
    }),
  ),
});
