import { resolve } from "node:path";
import { stringify } from "yaml";
import { listImageTree } from "../../data/image-tree.ts";
import { UserError } from "../../engine/errors.ts";
import { type BroughtModel, type ModelFacts, readModelFacts, studyKeysOf } from "./brought-model.ts";
import { type ClassMapping, mapClasses } from "./class-mapping.ts";
import { AUDIT_METRICS, attackSettings, judgeFor, type Keys, priorSettings, trainingSettings } from "./settings.ts";

/** Folders of images and the judge that is made of them. */
export interface FolderStudyOptions {
  readonly model: BroughtModel;
  readonly private: string;
  readonly public: string;
  /** Side of the images in pixels; by default the model's, where attacks in minutes can make that, else 64. */
  readonly size?: number;
  readonly crop?: "center" | "none";
  /** Architecture of the evaluation model. */
  readonly evaluation?: Keys;
  /** Further images of the private people, for the evaluation model alone. */
  readonly evaluationImages?: string;
  /** A trained evaluation model. */
  readonly evaluationWeights?: string;
  /** Keys of a study file that take the place of the ones chosen here; its attacks' keys take the place of the short ones. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** A study file in the making, and what it was made from. */
export interface FolderStudy {
  readonly facts: ModelFacts;
  readonly mapping: ClassMapping;
  /** The study's keys with these attacks. */
  keys(attacks: readonly string[]): Record<string, unknown>;
}

/** Keys that `settings` may have: what is audited or defended, and on which images, is said by options. */
const SETTABLE = [
  "seeds",
  "dataSeed",
  "training",
  "evaluation",
  "secondOpinions",
  "httpJudge",
  "student",
  "priors",
  "attacks",
  "reconstructions",
  "metrics",
  "gate",
];

/** Sides that the short priors make in minutes. */
const SIDES = [64, 32, 16];

/**
 * A study over folders of images about a classifier that somebody brings.
 * @param name names the study
 * @param as whether the classifier is the target itself, or what targets start from
 * @param defenses the study's defenses
 * @throws UserError for folders or a file that cannot be read or do not go together
 */
export async function folderStudy(
  name: string,
  as: "target" | "start",
  defenses: readonly unknown[],
  options: FolderStudyOptions,
): Promise<FolderStudy> {
  const { model, settings = {}, crop, evaluationImages, evaluationWeights } = options;
  const unknown = Object.keys(settings).find((key) => !SETTABLE.includes(key));
  if (unknown !== undefined)
    throw new UserError(`--settings: the key ${unknown} cannot be set here; expected some of ${SETTABLE.join(", ")}`);
  const tree = await listImageTree(options.private, "private");
  const facts = readModelFacts(model, tree.classes.length);
  const mapping: ClassMapping =
    as === "target"
      ? mapClasses(model.file, tree.classes, facts)
      : { by: "order", folders: tree.classes, statement: "" };
  const size = options.size ?? SIDES.find((side) => side <= (facts.side ?? 64)) ?? SIDES.at(-1)!;
  const sorted = mapping.folders.every((folder, i) => folder === tree.classes[i]);
  const judged = evaluationImages === undefined ? tree : await listImageTree(evaluationImages, "evaluation");
  const { attacks: chosen, ...others } = settings;
  const attackKeys = (kind: string) => {
    const own = (Array.isArray(chosen) ? (chosen as Keys[]) : []).find((keys) => keys.kind === kind);
    return own ?? attackSettings(kind);
  };
  const labels = as === "target" && facts.labels !== undefined ? mapping.folders : undefined;
  return {
    facts,
    mapping,
    keys: (attacks) => ({
      name,
      data: {
        kind: "folder",
        private: resolve(options.private),
        public: resolve(options.public),
        ...(evaluationImages !== undefined && { evaluation: resolve(evaluationImages) }),
        ...(!sorted && { classes: mapping.folders }),
        size,
        ...(facts.channels === 1 && { channels: 1 }),
        ...(crop && { crop }),
      },
      ...studyKeysOf(model, as, labels),
      training: trainingSettings(tree.files.length, size, 0.01),
      evaluation: {
        model: options.evaluation ?? judgeFor(facts.architecture),
        ...(evaluationWeights === undefined
          ? { training: trainingSettings(judged.files.length, size, 0.05) }
          : { weights: resolve(evaluationWeights) }),
      },
      priors: priorSettings,
      defenses,
      attacks: attacks.map(attackKeys),
      reconstructions: { perIdentity: 5, pool: 1000 },
      metrics: AUDIT_METRICS,
      ...others,
    }),
  };
}

/** The text of a study file. */
export function studyText(keys: Readonly<Record<string, unknown>>, comment: string): string {
  return `# ${comment}\n${stringify(keys)}`;
}
