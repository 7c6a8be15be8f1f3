import type { StudyData } from "../../data/dataset.ts";
import type { Measured } from "../../metrics/measured.ts";
import type { Evidence, Metric } from "../../metrics/metric.ts";
import { imagesOfClass, type Judge, type LabelledImages } from "./judge.ts";

/** Values of metrics by their kind; those that the evidence was not enough for are missing. */
export type MeasuredByKind = Readonly<Record<string, Measured>>;

/** Images in the judge's eyes, beside the private training images: what a metric is measured on. */
export async function evidenceOn(options: {
  readonly judge: Judge;
  readonly data: StudyData;
  readonly images: LabelledImages;
  readonly natural: Evidence["natural"];
  readonly seed: number;
}): Promise<Evidence> {
  const { judge, data, images, natural, seed } = options;
  const { train } = data.private;
  return {
    classes: train.classes,
    natural,
    reconstructions: await judge.judge(images),
    references: { labels: train.labels, features: await judge.features(train) },
    featureLength: judge.featureLength,
    pictures: {
      size: train,
      reconstructions: images.images,
      references: imagesOfClass(train),
      embed: judge.embed,
    },
    seed,
  };
}

/** Measures what the evidence is enough for. */
export async function measureAll(chosen: readonly Metric[], evidence: Evidence): Promise<MeasuredByKind> {
  const found: Record<string, Measured> = {};
  for (const metric of chosen) {
    const measured = await metric.measure(evidence);
    if (measured !== undefined) found[metric.kind] = measured;
  }
  return found;
}
