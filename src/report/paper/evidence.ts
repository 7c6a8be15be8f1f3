import { join, relative } from "node:path";
import { attacks } from "../../attacks/index.ts";
import { UserError } from "../../engine/errors.ts";
import { textIfThere } from "../../engine/text-if-there.ts";
import { cellName } from "../../study/cell.ts";
import { openCellRecords } from "../../study/cell-records.ts";
import type { FisherRecord } from "../../study/fisher.ts";
import { openPlan } from "../../study/open-plan.ts";
import type { PlannedCell } from "../../study/plan/cells.ts";
import type { CellResult } from "../../study/result.ts";
import type { Need } from "./claim.ts";

/** A cell that a study plans, with its record where it has one. */
export interface EvidenceCell extends Need {
  /** `tl-dmi`, `tl-dmi + bido-hsic` */
  readonly defense: string;
  /** `tl-dmi layer3.1`, `mid 2` */
  readonly label: string;
  /** The step that trains the target: the same in every study that attacks this target. */
  readonly target: string;
  /** What the study calls the attack. */
  readonly attack: string;
  /** What the attack sees of the target. */
  readonly access: string;
  /** Where the target's weights start, if not pre-trained. */
  readonly start?: "scratch";
  readonly result?: CellResult;
  /** Its Fisher analysis, where one was kept beside the record. */
  readonly fisher?: { readonly record: FisherRecord; readonly file: string };
}

/** A study with those of its cells' records that are there. */
export interface StudyEvidence {
  readonly name: string;
  /** Path of the study's file from the project's folder. */
  readonly file: string;
  readonly model: string;
  /** What the start weights were trained on, where the study says so: `no-faces`. */
  readonly pretraining: string | undefined;
  /** Whether several judges look at each reconstruction. */
  readonly judges: boolean;
  /** Whether recovered attributes are held against the truth. */
  readonly attributes: boolean;
  readonly cells: readonly EvidenceCell[];
}

/**
 * Reads what is known of a study: the records in `<results>/records/<study>`. Files are named relative to `results`.
 * @throws UserError for a study that cannot be run, or a record that cannot be read.
 */
export async function readEvidence(options: {
  readonly root: string;
  readonly studyFile: string;
  readonly results: string;
  readonly runsDir: string;
}): Promise<StudyEvidence> {
  const { root, studyFile, results, runsDir } = options;
  const { study, plan } = await openPlan({ studyFile, runsDir });
  const dir = join(results, "records", study.name);
  const cells: EvidenceCell[] = [];
  for (const { cell, found } of await openCellRecords(dir).findAll(plan.cells)) {
    const { start } = cell.target.defended.recipe;
    const fisher = await fisherOf(dir, cell);
    cells.push({
      name: cellName(cell),
      defense: cell.target.defense,
      label: cell.target.label,
      target: cell.target.step.id,
      attack: cell.attackLabel,
      access: attacks.find(({ kind }) => kind === cell.attack)?.access ?? "",
      ...(start === "scratch" && { start }),
      seed: cell.seed,
      ...(found && { result: found.record.result, file: relative(results, found.file) }),
      ...(fisher && { fisher: { record: fisher.record, file: relative(results, fisher.file) } }),
    });
  }
  const { pretraining } = study.data as { readonly pretraining?: { readonly kind?: string } | number };
  return {
    name: study.name,
    file: relative(root, studyFile),
    model: study.model.kind,
    pretraining: typeof pretraining === "object" ? pretraining.kind : undefined,
    judges: study.secondOpinions.length > 0,
    attributes: study.attributes !== undefined,
    cells,
  };
}

/** The analysis that `npm run fisher-page` keeps beside a cell's record. */
async function fisherOf(
  dir: string,
  cell: PlannedCell,
): Promise<{ readonly record: FisherRecord; readonly file: string } | undefined> {
  const file = join(dir, `${cellName(cell)}-${cell.evaluation.id}.fisher.json`);
  const text = await textIfThere(file).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(`${file}: cannot be read (${error.code})`);
  });
  if (text === undefined) return undefined;
  try {
    return { record: JSON.parse(text) as FisherRecord, file };
  } catch {
    throw new UserError(`${file}: not JSON; remove it, and run tldmi fisher and npm run fisher-page again`);
  }
}
