import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { exportRun } from "../../src/study/export.ts";
import { runStudy } from "../../src/study/pipeline.ts";
import type { StudyResult } from "../../src/study/result.ts";
import { writeFaceFolders } from "./face-folders.ts";
import { alone } from "./grid-world.ts";

/** Enough for a classifier and a judge to know four people: an audit refuses others. */
const TRAINING = { epochs: 16, batch: 16, rate: 0.05, weightDecay: 5e-4 };
/** Everything else at its smallest, for a study and for an audit. */
const SETTINGS = {
  training: TRAINING,
  evaluation: { model: { kind: "resnet18", width: 4 }, training: TRAINING },
  priors: [{ kind: "dcgan", latent: 6, width: 4, steps: 4, critic: 1, batch: 8 }],
  attacks: [{ kind: "gmi", iterations: 6, pool: 4 }],
  reconstructions: { perIdentity: 2, pool: 4 },
  metrics: ["attack-accuracy"],
};

/** What somebody who follows the pages has in the folder where commands are given, small: images, a study that has run, a classifier. */
export interface ReaderFolder {
  readonly root: string;
  /** The folder of the study that has run, from `root`. */
  readonly studyDir: string;
  /** The folder of its cell under a defense, from `root`. */
  cell(defense: "none" | "tl-dmi"): string;
  remove(): Promise<void>;
}

/** Lays the folder out: `faces/`, `study.yaml`, `frontier.yaml` with five short trainings, `settings.yaml`, `model.onnx`, `runs/`. */
export async function readerFolder(): Promise<ReaderFolder> {
  const root = await mkdtemp(join(tmpdir(), "reader-"));
  const drawn = {
    ...{ size: 32, identities: 4, family: 1, train: 14, validation: 8, test: 8, evaluation: 1 },
    public: { identities: 24, images: 2 },
    pretraining: { kind: "no-faces", classes: 4, images: 5 },
  } as const;
  const folders = await writeFaceFolders(join(root, "faces"), drawn, join(root, "cache"));
  const study = {
    name: "small",
    data: { kind: "folder", ...folders, size: 32 },
    model: { kind: "resnet10", width: 4 },
    pretraining: { epochs: 1, batch: 8 },
    ...SETTINGS,
    defenses: ["none", { kind: "tl-dmi", freeze: "layer2" }],
    gate: { max: { "attack.top1": 1 }, defenses: ["tl-dmi"], allowWeakAttack: true },
  };
  await writeFile(join(root, "study.yaml"), stringify(study));
  await writeFile(join(root, "frontier.yaml"), stringify({ ...study, training: { epochs: 1, batch: 16 } }));
  await writeFile(join(root, "settings.yaml"), stringify(SETTINGS));
  const run = { ...alone, includePrivate: true, studyFile: join(root, "study.yaml"), runsDir: join(root, "runs") };
  const { result, studyDir } = await runStudy(run);
  const cell = (defense: string) => join(studyDir, cellOf(result, defense));
  await copyFile(await exportRun(cell("none"), { format: "onnx" }), join(root, "model.onnx"));
  const fromRoot = (path: string) => path.slice(root.length + 1);
  return {
    ...{ root, studyDir: fromRoot(studyDir) },
    cell: (defense) => fromRoot(cell(defense)),
    remove: () => rm(root, { recursive: true }),
  };
}

const cellOf = ({ cells }: StudyResult, defense: string) => cells.find((cell) => cell.defense === defense)!.run;

/** Saves what a participant would who always takes the image on the left. */
export async function answerAll(pack: string, file: string): Promise<void> {
  const key = JSON.parse(await readFile(join(pack, "key.json"), "utf8")) as {
    readonly pack: string;
    readonly questions: readonly { readonly question: number }[];
  };
  const answers = key.questions.map(({ question }) => ({ question, choice: "A", seconds: 2 }));
  await writeFile(file, JSON.stringify({ schemaVersion: 1, pack: key.pack, participant: "1", answers }));
}
