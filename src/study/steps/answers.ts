import type { StudyData } from "../../data/dataset.ts";
import type { Defended } from "../../defenses/compose.ts";
import { seedFor } from "../../engine/random.ts";
import type { StateDict } from "../../engine/store.ts";
import { type Answers, answersFor } from "../../models/answers.ts";
import { classifierPredictor } from "../../models/predict.ts";

/** What a trained target's owner makes of its answers; undefined where no defense of it does anything to them. */
export async function answersOf(
  { model, recipe }: Defended,
  state: StateDict,
  { private: { validation } }: StudyData,
  seed: number,
): Promise<Answers | undefined> {
  if (recipe.outputs === undefined) return undefined;
  const net = await classifierPredictor(model, state);
  const probabilities = await answersFor(net, validation, model.classes);
  await net.release();
  return recipe.outputs.open({ probabilities, labels: validation.labels, seed: seedFor(seed, "answers") });
}
