import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { StudyData } from "../../data/dataset.ts";
import { writeFileAtomic } from "../../engine/atomic-file.ts";
import { seedFor } from "../../engine/random.ts";
import { metrics } from "../../metrics/index.ts";
import type { Model } from "../../models/model.ts";
import { asJson } from "../canonical.ts";
import type { Study } from "../study-schema.ts";
import { openJudge, sameNumber } from "./judge.ts";
import { evidenceOn, type MeasuredByKind, measureAll } from "./measuring.ts";
import { type PlannedStep, planStep } from "./planned.ts";

const MEASURED = "metrics.json";

/**
 * The study's leakage metrics with private test images in the place of reconstructions, as many an identity: what the metrics can
 * reach, without which a distance has no scale. All cells share it.
 */
export function realImagesStep(study: Study, data: StudyData, model: Model, evaluation: PlannedStep): PlannedStep {
  const { train, test } = data.private;
  const { perIdentity, identities = test.classes.length } = study.reconstructions;
  const attacked = Math.min(identities, test.classes.length);
  const spec = {
    kind: "real-images",
    version: 1,
    config: asJson({ metrics: study.metrics, perIdentity, identities: attacked, seed: study.dataSeed }),
    data: { train: train.hash, test: test.hash },
  };
  return planStep("metrics of real images", spec, { evaluation }, async (context, dir) => {
    const labels = Int32Array.from({ length: attacked * perIdentity }, (_, i) => Math.floor(i / perIdentity));
    const judge = await openJudge(model, dir(evaluation));
    const evidence = await evidenceOn({
      judge,
      data,
      images: await sameNumber(test, labels),
      natural: { logits: new Float32Array(0), labels: new Int32Array(0) },
      seed: seedFor(study.dataSeed, "intervals"),
    });
    const leakage = metrics.filter((m) => m.measures === "leakage" && study.metrics.includes(m.kind));
    const found = await measureAll(leakage, evidence);
    await judge.release();
    await writeFileAtomic(join(context.dir, MEASURED), `${JSON.stringify(found, undefined, 2)}\n`);
  });
}

/** What a finished step has measured. */
export async function readRealImages(dir: string): Promise<MeasuredByKind> {
  return JSON.parse(await readFile(join(dir, MEASURED), "utf8")) as MeasuredByKind;
}
