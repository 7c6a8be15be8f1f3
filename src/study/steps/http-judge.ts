import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ImageSet, StudyData } from "../../data/dataset.ts";
import { encodePng } from "../../data/image-file.ts";
import { imageLength } from "../../data/image-size.ts";
import { indicesByClass } from "../../data/subset.ts";
import { unitValues } from "../../data/to-unit.ts";
import { writeFileAtomic } from "../../engine/atomic-file.ts";
import { type HttpJudgeSettings, httpJudge, type SameIdentityQuestion } from "../../metrics/http-judge.ts";
import { wilson } from "../../metrics/interval.ts";
import type { Measured } from "../../metrics/measured.ts";
import { asJson } from "../canonical.ts";
import type { StepContext } from "../step-store.ts";
import { type PlannedStep, planStep } from "./planned.ts";
import { type AttackedCell, openReconstructions } from "./reconstructions.ts";

const ANSWERS = "answers.json";

/** What an HTTP judge said of reconstructions, in their order; null where it did not want to say. */
interface Answers {
  readonly schemaVersion: 1;
  readonly judge: string;
  readonly answers: readonly (boolean | null)[];
}

/** How an HTTP judge does on pairs of real images of which the truth is known. */
export interface RealPairs {
  /** Share of yes to a private test image beside training images of its own identity. */
  readonly same: Measured;
  /** Share of no to one beside training images of the next identity. */
  readonly different: Measured;
}

/** Answers kept after so many. */
const KEPT_EVERY = 20;

/** What determines answers; how fast they are asked for does not. */
const determining = ({ name, endpoint, references }: HttpJudgeSettings) => ({ name, endpoint, references });

/** Asks about each of the reconstructions of an attack whether it shows the attacked identity. */
export function httpJudgeStep(options: {
  readonly settings: HttpJudgeSettings;
  readonly data: StudyData;
  readonly name: string;
  readonly seed: number;
  readonly attacked: AttackedCell;
}): PlannedStep {
  const { settings, data, name, seed, attacked } = options;
  const { train } = data.private;
  const spec = {
    kind: "http-judge",
    version: 1,
    config: asJson(determining(settings)),
    data: { train: train.hash },
  };
  const needs = { attack: attacked.attack, ...(attacked.prior && { prior: attacked.prior }) };
  return planStep(`${settings.name} on ${name}, seed ${seed}`, spec, needs, async (context, dir) => {
    const { images, labels, release } = await openReconstructions(attacked, dir);
    await release();
    const length = imageLength(train);
    const references = referenceFiles(train, settings.references);
    const answers = await askAll(context, settings, labels.length, async (i) => ({
      image: await encodePng(images.subarray(i * length, (i + 1) * length), train),
      references: await references(labels[i]!),
    }));
    await writeAnswers(context, settings, answers);
  });
}

/** Asks about real images, each beside its own identity and beside another: what the judge's word is worth. */
export function realPairsStep(settings: HttpJudgeSettings, data: StudyData): PlannedStep {
  const { train, test } = data.private;
  const spec = {
    kind: "http-judge-real",
    version: 1,
    config: asJson(determining(settings)),
    data: { train: train.hash, test: test.hash },
  };
  return planStep(`${settings.name} on real images`, spec, {}, async (context) => {
    const classes = test.classes.length;
    const references = referenceFiles(train, settings.references);
    const own = referenceFiles(test, 1);
    const answers = await askAll(context, settings, 2 * classes, async (i) => ({
      image: (await own(i % classes))[0]!,
      references: await references(i < classes ? i : (i + 1) % classes),
    }));
    await writeAnswers(context, settings, answers);
  });
}

/** A finished step's answers. */
export async function readAnswers(dir: string): Promise<Answers["answers"]> {
  return (JSON.parse(await readFile(join(dir, ANSWERS), "utf8")) as Answers).answers;
}

/** The rates in the answers of `realPairsStep`: the first half should be yes, the second no. */
export function realPairsOf(answers: Answers["answers"]): RealPairs {
  const classes = answers.length / 2;
  const share = (part: Answers["answers"], right: boolean) =>
    wilson(part.filter((answer) => answer === right).length, classes);
  return { same: share(answers.slice(0, classes), true), different: share(answers.slice(classes), false) };
}

async function writeAnswers({ dir }: StepContext, { name }: HttpJudgeSettings, answers: Answers["answers"]) {
  const record: Answers = { schemaVersion: 1, judge: name, answers };
  await writeFileAtomic(join(dir, ANSWERS), `${JSON.stringify(record)}\n`);
}

/** The first images of a class, as PNG files; those of one class are kept, as its questions come one after the other. */
function referenceFiles(set: ImageSet, count: number): (label: number) => Promise<Uint8Array[]> {
  const ofClass = indicesByClass(set);
  let known: { label: number; files: Promise<Uint8Array[]> } | undefined;
  const read = async (label: number) => {
    const chosen = ofClass[label]!.subarray(0, count);
    const length = imageLength(set);
    const bytes = new Uint8Array(chosen.length * length);
    await set.read(chosen, bytes);
    const image = (i: number) => unitValues(bytes.subarray(i * length, (i + 1) * length));
    return Promise.all([...chosen.keys()].map((i) => encodePng(image(i), set)));
  };
  return (label) => {
    if (known?.label !== label) known = { label, files: read(label) };
    return known.files;
  };
}

/** Asks all questions, several at a time; those that an earlier session has answers to are not asked again. */
async function askAll(
  context: StepContext,
  settings: HttpJudgeSettings,
  count: number,
  question: (i: number) => Promise<SameIdentityQuestion>,
): Promise<(boolean | null)[]> {
  const ask = httpJudge(settings);
  const kept = await context.loadCheckpoint(ANSWERS);
  const answers = new Map<number, boolean | null>(kept && JSON.parse(Buffer.from(kept).toString("utf8")));
  const save = () => context.saveCheckpoint(ANSWERS, Buffer.from(JSON.stringify([...answers])));
  const open = Array.from({ length: count }, (_, i) => i).filter((i) => !answers.has(i));
  // One question that fails ends the others too.
  const failed = new AbortController();
  const signal = AbortSignal.any([context.signal, failed.signal]);
  const work = async () => {
    for (let i = open.shift(); i !== undefined && !signal.aborted; i = open.shift()) {
      answers.set(i, await ask(await question(i), signal));
      context.progress({ done: answers.size, total: count, unit: "questions" });
      if (answers.size % KEPT_EVERY === 0) await save();
    }
  };
  const workers = Array.from({ length: settings.parallel }, () =>
    work().catch((error: unknown) => {
      failed.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(workers);
  await save();
  context.signal.throwIfAborted();
  failed.signal.throwIfAborted();
  return Array.from({ length: count }, (_, i) => answers.get(i)!);
}
