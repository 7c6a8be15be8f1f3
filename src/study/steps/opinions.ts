import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { agreementOf, type JudgedIdentity, judgedByIdentity, type Verdicts } from "../../metrics/agreement.ts";
import type { Measured } from "../../metrics/measured.ts";
import { hits } from "../../metrics/top-k.ts";
import type { Model } from "../../models/model.ts";
import { classifierPredictor } from "../../models/predict.ts";
import type { JudgeResult, JudgesResult } from "../result.ts";
import { readState, WEIGHTS } from "../state-file.ts";
import { TEST_ACCURACY } from "./classifier.ts";
import { readAnswers, realPairsOf } from "./http-judge.ts";
import type { LabelledImages } from "./judge.ts";
import type { PlannedStep } from "./planned.ts";

/** Who judges reconstructions beside the evaluation model. */
export interface Opinions {
  readonly classifiers: readonly { readonly name: string; readonly model: Model; readonly step: PlannedStep }[];
  readonly http?: { readonly name: string; readonly answers: PlannedStep; readonly realPairs: PlannedStep };
}

/** The steps that opinions come from, by their role in an evaluation. */
export function opinionSteps({ classifiers, http }: Opinions): Record<string, PlannedStep> {
  return {
    ...Object.fromEntries(classifiers.map(({ step }, i) => [`opinion${i + 1}`, step])),
    ...(http && { httpJudge: http.answers, httpJudgeReal: http.realPairs }),
  };
}

type Judged = Omit<JudgeResult, "attackAccuracy"> & Verdicts;

/** The test accuracy that a classifier's step has noted. */
export async function testAccuracyOf(dir: string): Promise<Measured> {
  return JSON.parse(await readFile(join(dir, TEST_ACCURACY), "utf8")) as Measured;
}

/** What several judges say: of everything, and of each class. */
interface Judgement {
  readonly judges: JudgesResult;
  readonly byIdentity: readonly JudgedIdentity[];
}

/** Puts the evaluation model's verdicts beside those of all others; undefined where there is nobody else. */
export async function judgementOf(options: {
  readonly first: Judged;
  readonly opinions: Opinions;
  readonly found: LabelledImages;
  readonly classes: number;
  readonly seed: number;
  readonly dir: (need: PlannedStep) => string;
}): Promise<Judgement | undefined> {
  const { first, opinions, found, classes, seed, dir } = options;
  const { images, labels } = found;
  const judged: Judged[] = [first];
  for (const { name, model, step } of opinions.classifiers) {
    const net = await classifierPredictor(model, await readState(join(dir(step), WEIGHTS)));
    const { logits } = await net.predict(images, labels.length);
    await net.release();
    const naturalAccuracy = await testAccuracyOf(dir(step));
    judged.push({ name, naturalAccuracy, hits: hits(logits, labels, classes, 1) });
  }
  if (opinions.http !== undefined) {
    const { name, answers, realPairs } = opinions.http;
    const said = await readAnswers(dir(answers));
    judged.push({
      name,
      realPairs: realPairsOf(await readAnswers(dir(realPairs))),
      refused: said.filter((answer) => answer === null).length,
      hits: Uint8Array.from(said, (answer) => (answer === true ? 1 : 0)),
    });
  }
  if (judged.length < 2) return undefined;
  const { attackAccuracy, ...agreement } = agreementOf(judged, labels, classes, seed);
  const judges = judged.map(({ hits: _, ...judge }, i) => ({ ...judge, attackAccuracy: attackAccuracy[i]!.rate }));
  return { judges: { judges, ...agreement }, byIdentity: judgedByIdentity(judged, labels, classes) };
}
