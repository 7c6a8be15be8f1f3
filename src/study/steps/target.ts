import { join } from "node:path";
import type { StudyData } from "../../data/dataset.ts";
import type { Defended } from "../../defenses/compose.ts";
import { privacyOf } from "../../defenses/dp-sgd.ts";
import { changedFrozenTensors, trainTarget } from "../../defenses/train-target.ts";
import { writeFileAtomic } from "../../engine/atomic-file.ts";
import { seedFor } from "../../engine/random.ts";
import { asJson } from "../canonical.ts";
import { readState, WEIGHTS, writeState } from "../state-file.ts";
import type { Study } from "../study-schema.ts";
import { TEST_ACCURACY, testAccuracy } from "./classifier.ts";
import { readBoundary } from "./fisher.ts";
import { type PlannedStep, planStep } from "./planned.ts";

/** Name of what a target's training costs in privacy, in its step's folder; there only where the recipe accounts for it. */
export const PRIVACY = "privacy.json";

/** A boundary that is known once a step is done. */
export interface OpenBoundary {
  /** The Fisher analysis that chooses it. */
  readonly step: PlannedStep;
  /** The defenses with the boundary it chose. @throws UserError where they do not go with it. */
  at(boundary: string): Defended;
}

/** The target of one defense and seed. Afterwards the written weights are compared with the start weights, frozen tensor by tensor. */
export function targetStep(options: {
  readonly study: Study;
  readonly data: StudyData;
  readonly label: string;
  readonly defended: Defended;
  readonly seed: number;
  readonly pretraining: PlannedStep;
  readonly open?: OpenBoundary;
}): PlannedStep {
  const { study, data, label, defended, seed, pretraining, open } = options;
  const { model, settings } = defended;
  const { train, validation, test } = data.private;
  const config = asJson({ model: study.model, recipe: settings, training: study.training, seed });
  const hashes = { train: train.hash, validation: validation.hash, test: test.hash };
  const spec = { kind: "target", version: 1, config, data: hashes };
  const needs = { pretraining, ...(open && { boundary: open.step }) };
  return planStep(`target ${label}, seed ${seed}`, spec, needs, async (context, dir) => {
    const { recipe } = open === undefined ? defended : open.at(await readBoundary(dir(open.step)));
    const pretrained = await readState(join(dir(pretraining), WEIGHTS));
    const state = await trainTarget({
      work: context,
      model,
      recipe,
      pretrained,
      train,
      validation,
      settings: study.training,
      seed: seedFor(seed, "target"),
    });
    const path = join(context.dir, WEIGHTS);
    await writeState(path, state);
    const written = await readState(path);
    const changed = changedFrozenTensors(model, recipe, pretrained, written);
    if (changed.length > 0) throw new Error(`frozen tensors changed in training: ${changed.join(", ")}`);
    const privacy = privacyOf(recipe, study.training, train.size);
    if (privacy !== undefined)
      await writeFileAtomic(join(context.dir, PRIVACY), `${JSON.stringify(privacy, undefined, 2)}\n`);
    const measured = await testAccuracy(model, written, test);
    await writeFileAtomic(join(context.dir, TEST_ACCURACY), `${JSON.stringify(measured)}\n`);
  });
}
