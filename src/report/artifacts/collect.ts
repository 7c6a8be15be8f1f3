import { cp, mkdir, readdir, readFile } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../../engine/atomic-file.ts";
import { UserError } from "../../engine/errors.ts";
import { withHalfWeights } from "../../engine/half-model.ts";
import { assetsFolder } from "../../study/assets.ts";
import { buildModel, type Choice } from "../../study/choose.ts";
import { inFolderName } from "../../study/entry-labels.ts";
import { classifierOnnx, exportRun } from "../../study/export.ts";
import type { CellResult } from "../../study/result.ts";
import { ARTIFACTS, RESULT_FILE } from "../../study/run-folder.ts";
import { readRunRecord } from "../../study/run-record.ts";
import { readState, WEIGHTS, writeState } from "../../study/state-file.ts";
import { findStep, type StepRecord } from "../../study/step-record.ts";
import { readTargetDescription, type TargetDescription } from "../../study/target-file.ts";
import { verifyRun } from "../../study/verify.ts";
import { contactSheetPng } from "./sheet.ts";

/** Sources of images that are drawn, or that anyone may have: what was trained on others is not published. */
const PUBLIC_DATA: readonly string[] = ["faces", "mnist", "fashion-mnist"];

/** A cell whose pieces lie in the folder of artifacts. */
export interface Collected {
  /** Folder of its target, which cells may share. */
  readonly target: string;
  readonly label: string;
  readonly description: TargetDescription;
  readonly result: CellResult;
}

const JudgeConfig = z.looseObject({ model: z.looseObject({ kind: z.string() }) });

/** Puts a finished cell's pieces into `out`, leaving out those that are there already. */
export async function addCell(run: string, out: string): Promise<Collected> {
  const { changed, missing } = await verifyRun(run);
  const [fault] = [...changed, ...missing];
  if (fault !== undefined)
    throw new UserError(`${run}: ${fault} is not as the run wrote it; run the cell again before it is published`);
  const record = await readRunRecord(run);
  const result = JSON.parse(await readFile(join(run, RESULT_FILE), "utf8")) as CellResult;
  const description = await readTargetDescription(join(run, ARTIFACTS));
  if (!PUBLIC_DATA.includes(description.data ?? ""))
    throw new UserError(
      `${run}: its target was trained on images of kind ${description.data ?? "unknown"}, and what is published may rest on ${PUBLIC_DATA.join(", ")} alone`,
    );
  const steps = record.steps ?? {};
  const folderOf = (role: string) => {
    const path = steps[role];
    return path === undefined ? undefined : isAbsolute(path) ? path : join(run, path);
  };
  const targetStep = folderOf("target");
  if (targetStep === undefined) throw new UserError(`${run}: its record names no target; run the cell again`);
  const label = result.defenseLabel ?? [result.defense, result.boundary ?? ""].join(" ").trim();
  const target = join(
    out,
    "targets",
    `${inFolderName(`${result.model}-${label}-seed${result.seed}`)}-${idOf(targetStep)}`,
  );
  await once(target, async () => {
    const file = await exportRun(run, { format: "onnx", out: join(target, "model.onnx") });
    await writeFileAtomic(file, withHalfWeights(await readFile(file)));
  });
  const prior = folderOf("prior");
  if (prior !== undefined) await addPrior(prior, out);
  if (result.basis) await addJudge(result.basis.evaluationModel, dirname(targetStep), description, out);
  await addReconstructions(run, result, join(out, "reconstructions", `${record.name}-${idOf(targetStep)}`));
  return { target, label, description, result };
}

const idOf = (stepDir: string) => basename(stepDir).slice(-16);

async function once(folder: string, fill: () => Promise<void>): Promise<void> {
  const made = await mkdir(folder, { recursive: true });
  if (made !== undefined) await fill();
}

async function stepAt(dir: string): Promise<StepRecord> {
  const found = await findStep(dir, true);
  if (found !== undefined && "record" in found) return found.record;
  throw new UserError(`${dir}: ${found?.faults[0] ?? "no such step"}; run the study again`);
}

/** The prior's weights, halved, and the settings that its networks are built from. */
async function addPrior(step: string, out: string): Promise<void> {
  const { spec, id, name } = await stepAt(step);
  const folder = join(out, "priors", basename(step));
  await once(folder, async () => {
    await writeState(join(folder, WEIGHTS), await readState(join(step, WEIGHTS)), "float16");
    await writeFileAtomic(
      join(folder, "prior.json"),
      `${JSON.stringify({ id, name, settings: spec.config }, undefined, 2)}\n`,
    );
  });
}

/** The evaluation model as ONNX; it was trained, or came with the package. */
async function addJudge(id: string, steps: string, { input, classes }: TargetDescription, out: string): Promise<void> {
  const name = `evaluation-model-${id}`;
  const folder = join(out, "judges", name);
  await once(folder, async () => {
    const own = join(steps, name);
    const dir = (await findStep(own)) === undefined ? join(assetsFolder, name) : own;
    const { spec } = await stepAt(dir);
    const parsed = JudgeConfig.safeParse(spec.config);
    if (!parsed.success) throw new UserError(`${dir}: its evaluation model came from a file, and is not published`);
    const model = buildModel(parsed.data.model as Choice, { input, classes: classes.length });
    const onnx = classifierOnnx(model, await readState(join(dir, WEIGHTS)), {
      architecture: model.kind,
      labels: JSON.stringify(classes),
      input: `[batch, ${input.join(", ")}], values in [0, 1]`,
    });
    await writeFileAtomic(join(folder, "model.onnx"), withHalfWeights(onnx));
  });
}

/** A sheet of the first identities' images, all latents, and the result; private references never. */
async function addReconstructions(run: string, result: CellResult, folder: string): Promise<void> {
  const artifacts = join(run, ARTIFACTS);
  await mkdir(folder, { recursive: true });
  const labels = result.identities.map(({ label }) => label);
  const each = Math.round(result.attackAccuracy.n / labels.length);
  await writeFileAtomic(join(folder, "sheet.png"), await contactSheetPng(join(artifacts, "images"), labels, each));
  for (const name of await readdir(artifacts)) {
    if (name.endsWith(".npy")) await cp(join(artifacts, name), join(folder, name));
  }
  await cp(join(run, RESULT_FILE), join(folder, RESULT_FILE));
}
