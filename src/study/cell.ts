import { cp, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { ImageSet, StudyData } from "../data/dataset.ts";
import { writePng } from "../data/image-file.ts";
import { unitValues } from "../data/to-unit.ts";
import { trainableParameters } from "../defenses/boundary.ts";
import type { Defended } from "../defenses/compose.ts";
import { privacyOf } from "../defenses/dp-sgd.ts";
import { atOnce } from "../engine/at-once.ts";
import { countWeights } from "../models/bind.ts";
import { type Model, splitAt } from "../models/model.ts";
import { asJson } from "./canonical.ts";
import { inFolderName } from "./entry-labels.ts";
import { labelsOf, type PlannedCell } from "./plan/cells.ts";
import type { PlannedTarget } from "./plan/targets.ts";
import type { Provenance } from "./provenance.ts";
import type { CellResult } from "./result.ts";
import { finishRun, openRunFolder, RESULT_FILE } from "./run-folder.ts";
import { WEIGHTS } from "./state-file.ts";
import type { StepResult } from "./step-store.ts";
import { reconstructionsFile } from "./steps/attack.ts";
import { EVALUATION, type Evaluation, IMAGES } from "./steps/evaluation.ts";
import { readBoundary } from "./steps/fisher.ts";
import type { PlannedStep } from "./steps/planned.ts";
import type { Study } from "./study-schema.ts";
import { writeTargetDescription } from "./target-file.ts";

/** Folder of private references in a cell's artifacts; there only where the user asked for it. */
const PRIVATE = "private";

/** The name of a cell and of its folder. */
export function cellName({ target, attackLabel, seed }: PlannedCell): string {
  return inFolderName(`${target.label}-${attackLabel}-seed${seed}`);
}

/** The cell's run folder, relative to its study's. */
export const cellFolder = (cell: PlannedCell): string => join("cells", cellName(cell));

/** Computes one cell and writes its run folder: record, result, reconstructions and what they were rendered from, the target's weights. */
export async function runCell(options: {
  readonly cell: PlannedCell;
  readonly study: Study;
  readonly model: Model;
  readonly data: StudyData;
  readonly studyDir: string;
  readonly includePrivate: boolean;
  readonly machine: Provenance;
  readonly run: (step: PlannedStep) => Promise<StepResult>;
}): Promise<CellResult> {
  const { cell, study, model, data, studyDir, includePrivate, machine, run } = options;
  const { target, attackLabel, seed } = cell;
  const name = cellName(cell);
  const dir = join(studyDir, cellFolder(cell));
  const config = asJson({ ...study, seeds: [seed], defense: target.defended.settings, attack: attackLabel });
  const folder = await openRunFolder({
    dir,
    kind: "cell",
    name,
    seed,
    study: relative(dir, studyDir),
    config,
    machine,
  });
  return finishRun(folder, async () => {
    const { model: defendedModel, recipe, changes } = await trainedAs(target, run);
    const { boundary } = recipe;
    const steps = {
      ...(target.open && { boundary: await run(target.open.step) }),
      target: await run(target.step),
      ...(cell.prior && { prior: await run(cell.prior) }),
      ...(cell.surrogates && { surrogates: await run(cell.surrogates) }),
      attack: await run(cell.attackStep),
      evaluation: await run(cell.evaluation),
    };
    await folder.note({
      steps: Object.fromEntries(Object.entries(steps).map(([role, s]) => [role, relative(dir, s.dir)])),
    });
    await cp(join(steps.evaluation.dir, IMAGES), join(folder.artifacts, IMAGES), { recursive: true });
    const found = reconstructionsFile(cell.prior, cell.chosen.member.outcome);
    await cp(join(steps.attack.dir, found), join(folder.artifacts, found));
    await cp(join(steps.target.dir, WEIGHTS), join(folder.artifacts, WEIGHTS));
    await writeTargetDescription(folder.artifacts, {
      schemaVersion: 1,
      model: study.model,
      input: [...model.input],
      classes: [...data.private.train.classes],
      defense: target.defense,
      changes: [...changes],
      boundary,
      data: study.data.kind,
    });
    if (includePrivate) await writeReferences(join(folder.artifacts, PRIVATE), data.private.train);
    const measured = JSON.parse(await readFile(join(steps.evaluation.dir, EVALUATION), "utf8")) as Evaluation;
    const privacy = privacyOf(recipe, study.training, data.private.train.size);
    const { inputs } = cell.evaluation.spec;
    const result: CellResult = {
      schemaVersion: 1,
      ...labelsOf(cell),
      model: study.model.kind,
      seed,
      trainableParameters: trainableParameters(defendedModel, boundary),
      frozenParameters: countWeights(splitAt(defendedModel, boundary).frozen.weights),
      boundary,
      ...(recipe.start === "scratch" && { start: recipe.start }),
      ...(privacy && { privacy }),
      ...measured,
      cost: costOf([
        steps.attack,
        ...(steps.surrogates ? [steps.surrogates] : []),
        ...(steps.prior && cell.prior?.needs.includes(target.step) ? [steps.prior] : []),
      ]),
      basis: { train: inputs.train!, test: inputs.test!, evaluationModel: inputs.evaluation! },
      run: cellFolder(cell),
    };
    await folder.writeJson(RESULT_FILE, asJson(result));
    return result;
  });
}

/** What an attack takes: its own step, and those that learn of the target for it. */
function costOf(steps: readonly StepResult[]): NonNullable<CellResult["cost"]> {
  const peaks = steps.flatMap(({ peakMemory }) => peakMemory ?? []);
  return {
    seconds: Math.round(steps.reduce((sum, { seconds }) => sum + seconds, 0) * 10) / 10,
    ...(peaks.length > 0 && { peakMemory: Math.max(...peaks) }),
  };
}

/** The target's defenses; with the boundary that Fisher information chose, where it was left open. */
async function trainedAs(
  { defended, open }: PlannedTarget,
  run: (step: PlannedStep) => Promise<StepResult>,
): Promise<Defended> {
  return open === undefined ? defended : open.at(await readBoundary((await run(open.step)).dir));
}

/** `<label>.png`: the first training image of each private class */
async function writeReferences(folder: string, train: ImageSet): Promise<void> {
  const length = train.channels * train.height * train.width;
  await atOnce([...train.classes.keys()], async (label) => {
    const bytes = new Uint8Array(length);
    await train.read([train.labels.indexOf(label)], bytes);
    await writePng(join(folder, `${label}.png`), unitValues(bytes), train);
  });
}
