import { join } from "node:path";
import { openTarget } from "../../attacks/access.ts";
import { meteredWork, type Queries, queryMeter } from "../../attacks/queries.ts";
import type { StudyData } from "../../data/dataset.ts";
import type { Defended } from "../../defenses/compose.ts";
import { writeFileAtomic } from "../../engine/atomic-file.ts";
import type { StateDict } from "../../engine/store.ts";
import { textIfThere } from "../../engine/text-if-there.ts";
import type { Work } from "../../engine/work.ts";
import type { LabellingTarget } from "../../priors/prior.ts";
import type { StepContext } from "../step-store.ts";
import { answersOf } from "./answers.ts";

/** What a step asked of a target that only names classes. */
const QUERIES = "queries.json";

/**
 * Learns from a target that is only asked for labels, as its owner answers, and writes into the step's folder how often it was asked.
 * A resumed step counts what its sessions asked together.
 */
export async function learnFromLabels<T>(
  { defended, state, data, seed }: { defended: Defended; state: StateDict; data: StudyData; seed: number },
  context: StepContext,
  learn: (target: LabellingTarget, work: Work) => Promise<T>,
): Promise<T> {
  const meter = queryMeter();
  const { target, release } = openTarget(
    "labels",
    defended.model,
    state,
    meter,
    await answersOf(defended, state, data, seed),
  );
  try {
    const learnt = await learn(target, meteredWork(context, meter));
    await writeFileAtomic(join(context.dir, QUERIES), `${JSON.stringify(meter.count())}\n`);
    return learnt;
  } finally {
    await release();
  }
}

/** What the steps of these folders asked of their target; nothing where they say nothing. */
export async function askedIn(folders: readonly string[]): Promise<Queries> {
  const sum = { images: 0, gradients: 0 };
  for (const folder of folders) {
    const text = await textIfThere(join(folder, QUERIES));
    const { images, gradients } = text === undefined ? { images: 0, gradients: 0 } : (JSON.parse(text) as Queries);
    sum.images += images;
    sum.gradients += gradients;
  }
  return sum;
}
