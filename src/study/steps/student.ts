import type { StudyData } from "../../data/dataset.ts";
import { memorySet } from "../../data/memory-set.ts";
import { seedFor } from "../../engine/random.ts";
import type { Model } from "../../models/model.ts";
import { asJson } from "../canonical.ts";
import type { Study } from "../study-schema.ts";
import { trainClassifier } from "./classifier.ts";
import { type PlannedStep, planStep } from "./planned.ts";
import { type AttackedCell, openReconstructions } from "./reconstructions.ts";

/** A classifier that learns the private identities from nothing but what an attack found of them, and is tested on private images. */
export function studentStep(options: {
  readonly study: Study & { readonly student: object };
  readonly data: StudyData;
  readonly name: string;
  readonly seed: number;
  readonly student: Model;
  readonly attacked: AttackedCell;
}): PlannedStep {
  const { study, data, name, seed, student, attacked } = options;
  const { test } = data.private;
  const spec = {
    kind: "student",
    version: 1,
    config: asJson({ ...study.student, seed }),
    data: { test: test.hash },
  };
  const needs = { attack: attacked.attack, ...(attacked.prior && { prior: attacked.prior }) };
  return planStep(`student of ${name}, seed ${seed}`, spec, needs, async (context, dir) => {
    const { images, labels, release } = await openReconstructions(attacked, dir);
    await release();
    const [channels, height, width] = attacked.model.input;
    await trainClassifier(context, {
      name: "student",
      model: student,
      train: memorySet({
        name: `reconstructions of ${name}`,
        channels,
        height,
        width,
        classes: test.classes,
        labels,
        bytes: Uint8Array.from(images, (x) => Math.round(255 * Math.min(1, Math.max(0, x)))),
      }),
      test,
      settings: study.student.training,
      seed: seedFor(seed, "student"),
    });
  });
}
