import { basename, join, resolve } from "node:path";
import { AUTO, trainableParameters } from "../../defenses/boundary.ts";
import { writeFileAtomic } from "../../engine/atomic-file.ts";
import { setThreads } from "../../engine/runtime.ts";
import type { Measured } from "../../metrics/measured.ts";
import { countWeights } from "../../models/bind.ts";
import { splitAt } from "../../models/model.ts";
import { asJson } from "../canonical.ts";
import { type OnnxBatch, targetOnnx } from "../export.ts";
import { runStudy } from "../pipeline.ts";
import type { PlannedTarget } from "../plan/targets.ts";
import { provenance } from "../provenance.ts";
import type { StudyResult } from "../result.ts";
import { finishRun, openRunFolder } from "../run-folder.ts";
import { readState, WEIGHTS } from "../state-file.ts";
import { readFisher } from "../steps/fisher.ts";
import type { TargetDescription } from "../target-file.ts";
import { type AttackerOptions, plainName, wishOf } from "./audit.ts";
import type { LeftOut, TooDear } from "./budget.ts";
import { claimFolder, STUDY_YAML } from "./claim-folder.ts";
import { type FolderStudyOptions, folderStudy } from "./folder-study.ts";
import { attacksWithin, type OpenStudy, openStudy, type Workplace } from "./open-study.ts";
import { accuracyOf, checkJudge } from "./preflight.ts";
import { notPicked } from "./settings.ts";

/** Name of the defended classifier in its folder. */
export const MODEL_FILE = "model.onnx";

/** What is defended, and how. */
export interface DefendOptions extends FolderStudyOptions, Workplace {
  /** The last frozen stage, or `auto`: by Fisher information. */
  readonly freeze: string;
  /** The attacker by whom the result is audited; left out where it is not. */
  readonly audit?: AttackerOptions;
}

/** Why a model is cut where it is. */
export type Boundary = {
  readonly stage: string;
  readonly trainableParameters: number;
  readonly frozenParameters: number;
  /** The shares of each task's Fisher information in what is frozen, where that chose the stage. */
  readonly fisher?: { readonly classification: number; readonly inversion: number };
};

/** What is known of a defended model. */
export interface DefendFacts {
  /** Name of the file whose weights it starts from. */
  readonly model: string;
  readonly architecture: string;
  /** [channels, height, width]; values in [0, 1]. */
  readonly input: readonly [number, number, number];
  readonly images: Readonly<Record<"train" | "validation" | "test" | "public", number>>;
  readonly classes: readonly string[];
  /** Whether the head is new: the file knows another number of classes, or is an architecture's weights. */
  readonly newHead: boolean;
  readonly epochs: number;
  readonly boundary: Boundary;
  readonly naturalAccuracy: Measured;
  readonly onnx: string;
  /** Images that the file takes at a time: any number unless it is said. */
  readonly batch?: OnnxBatch;
  readonly studyFile: string;
  /** What the attacks found on the defended and on an undefended model; absent where none was run. */
  readonly audit?: {
    readonly result: StudyResult;
    readonly tooDear: readonly TooDear[];
    readonly leftOut: readonly LeftOut[];
  };
}

/**
 * Fine-tunes the tail of a classifier that somebody brings on private images (TL-DMI), and writes `model.onnx`. Where it is audited, the
 * same classifier without a frozen stage is trained and attacked beside it: only the difference says what the defense is worth.
 * @throws UserError for what cannot be read or does not fit; Interrupted when the signal is aborted
 */
export async function runDefend(options: DefendOptions): Promise<DefendFacts> {
  const begun = performance.now();
  const place = { ...options, out: resolve(options.out), runsDir: resolve(options.runsDir) };
  const { freeze, audit, model, threads } = options;
  setThreads(threads);
  const wish = wishOf(audit ?? { access: "white-box", attacks: ["gmi"] });
  const made = await folderStudy(
    `defend-${plainName(model.file)}`,
    "start",
    ["none", { kind: "tl-dmi", freeze }],
    options,
  );
  const comment = `${basename(model.file)} defended with TL-DMI, and without a defense. Run and attack both with: tldmi run ${STUDY_YAML}`;
  const claimed = await claimFolder(place.out, made, wish, comment);
  const opened = await openStudy(claimed.studyFile, place);
  const target = opened.plan.targets.find(({ defense }) => defense === "tl-dmi")!;
  if (audit === undefined) {
    const { study } = opened;
    const machine = await provenance(threads);
    const folder = await openRunFolder({
      dir: place.out,
      kind: "study",
      name: study.name,
      config: asJson(study),
      machine,
    });
    await claimed.settle({ chosen: wish.attacks, tooDear: [], leftOut: [] });
    return finishRun(folder, () => defendedFacts(opened, target, options, claimed.studyFile));
  }
  const choice = await claimed.attempt(async () => {
    for (const { step } of opened.plan.targets) await opened.run(step);
    await checkJudge(opened);
    return claimed.before ?? (await attacksWithin(opened, wish, begun, place));
  });
  await claimed.settle(choice);
  const { result } = await runStudy({ ...place, studyFile: claimed.studyFile, studyDir: place.out });
  const facts = await defendedFacts(opened, target, options, claimed.studyFile);
  const leftOut = [...(audit.attacks === undefined ? notPicked(audit.access) : []), ...choice.leftOut];
  return { ...facts, audit: { result, tooDear: choice.tooDear, leftOut } };
}

/** Trains the target where that is not done, and writes it. */
async function defendedFacts(
  { study, data, run }: OpenStudy,
  target: PlannedTarget,
  { model: brought, freeze, out }: DefendOptions,
  studyFile: string,
): Promise<DefendFacts> {
  const done = await run(target.step);
  const fisher = target.open && (await readFisher((await run(target.open.step)).dir));
  const defended = target.open && fisher?.boundary ? target.open.at(fisher.boundary) : target.defended;
  const { model, recipe, name, changes } = defended;
  const stage = recipe.boundary!;
  const frozen = fisher?.stages.find((shares) => shares.stage === stage)?.frozen;
  const { train, validation, test } = data.private;
  const onnx = join(resolve(out), MODEL_FILE);
  const description: TargetDescription = {
    schemaVersion: 1,
    model: study.model,
    input: [...model.input],
    classes: [...train.classes],
    defense: name,
    changes: [...changes],
    boundary: stage,
  };
  const written = targetOnnx(description, model, await readState(join(done.dir, WEIGHTS)));
  await writeFileAtomic(onnx, written.bytes);
  return {
    model: basename(brought.file),
    architecture: study.model.kind,
    input: model.input,
    images: { train: train.size, validation: validation.size, test: test.size, public: data.public.size },
    classes: train.classes,
    newHead: model.imported?.ownHead !== true,
    epochs: study.training.epochs,
    boundary: {
      stage,
      trainableParameters: trainableParameters(model, stage),
      frozenParameters: countWeights(splitAt(model, stage).frozen.weights),
      ...(freeze === AUTO && frozen && { fisher: frozen }),
    },
    naturalAccuracy: await accuracyOf(done),
    onnx,
    batch: written.batch,
    studyFile,
  };
}
