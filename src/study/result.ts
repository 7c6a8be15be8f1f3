import type { Queries } from "../attacks/queries.ts";
import type { TargetPrivacy } from "../defenses/dp-sgd.ts";
import type { Agreement, JudgedIdentity } from "../metrics/agreement.ts";
import type { AttributeRecovery } from "../metrics/attribute-recovery.ts";
import type { Measured } from "../metrics/measured.ts";
import type { EntryLabels } from "./entry-labels.ts";
import type { GateResult } from "./gate.ts";

export type { AttributeRecovery, Measured, Queries, TargetPrivacy };

/** One identity's share of a cell's result. */
export interface IdentityResult {
  readonly identity: string;
  readonly label: number;
  readonly naturalAccuracy: number;
  readonly attackAccuracy: number;
  readonly attackAccuracyTop5: number;
  readonly knnDistance: number;
  /** What the floors' images of this person reach by the same judge; absent where they were not kept. */
  readonly floors?: { readonly randomPrior: number; readonly initialSelection: number };
  /** Where several judges looked: what each saw, in the order of `CellResult.judges`; absent where it was not kept. */
  readonly judges?: JudgedIdentity;
}

/** What one judge of reconstructions says, and what its word is worth. */
export interface JudgeResult {
  readonly name: string;
  /** Of a classifier: its accuracy on private test images. */
  readonly naturalAccuracy?: Measured;
  /** Of an HTTP judge: shares of right answers about real images of the same identity, and of different ones. */
  readonly realPairs?: { readonly same: Measured; readonly different: Measured };
  /** Of an HTTP judge: reconstructions of which it did not want to say anything; they count as not recognised. */
  readonly refused?: number;
  /** Share of reconstructions in which it sees the attacked identity. */
  readonly attackAccuracy: Measured;
}

/** What several judges say of the same reconstructions; the first is the evaluation model. Shares as in `Agreement`. */
export interface JudgesResult extends Omit<Agreement, "attackAccuracy"> {
  readonly judges: readonly JudgeResult[];
}

/** The result of one cell: one defense, one attack, one seed. Written as `result.json` in the cell's run folder. */
export interface CellResult extends EntryLabels {
  readonly schemaVersion: 1;
  readonly model: string;
  readonly seed: number;
  /** |θ_C|: parameters that saw private data. */
  readonly trainableParameters: number;
  /** |θ_E|: parameters kept as pre-trained. */
  readonly frozenParameters: number;
  /** Name of the last frozen stage; null where nothing is frozen. */
  readonly boundary: string | null;
  /** Where the target's weights started, if not pre-trained. */
  readonly start?: "scratch";
  /** The guarantee that the target's training gives its images, where a defense gives one. */
  readonly privacy?: TargetPrivacy;
  readonly naturalAccuracy: Measured;
  readonly attackAccuracy: Measured;
  readonly attackAccuracyTop5: Measured;
  /** Squared L2 distance to the nearest private training image of the attacked class in the evaluation model's features. */
  readonly knnDistance: Measured;
  readonly floors: { readonly randomPrior: Measured; readonly initialSelection: Measured };
  /** What the attack asked of the target. */
  readonly queries?: Queries;
  /** What the attack found out about the target. */
  readonly remark?: string;
  /** What the attack took: wall time in seconds with what was learnt of the target for it, and the most memory in bytes. */
  readonly cost?: { readonly seconds: number; readonly peakMemory?: number };
  /** Every measured metric by its kind. */
  readonly metrics?: Readonly<Record<string, Measured>>;
  /** The same leakage metrics with private test images of the attacked identities in the place of reconstructions: what they can reach. */
  readonly realImages?: Readonly<Record<string, Measured>>;
  readonly attributeRecovery: readonly AttributeRecovery[];
  readonly identities: readonly IdentityResult[];
  readonly evaluationModel: { readonly kind: string; readonly naturalAccuracy: Measured };
  /** Where the study names several judges. */
  readonly judges?: JudgesResult;
  /** What its numbers rest on: hashes of the private training and test images, and the id of the evaluation model's step. */
  readonly basis?: { readonly train: string; readonly test: string; readonly evaluationModel: string };
  /** Path of the cell's run folder. */
  readonly run: string;
}

/** One training curve: values against epochs or steps. */
export interface Curve {
  /** What is trained: `target none`, `target tl-dmi`, `inversion GAN kedmi against tl-dmi`. */
  readonly name: string;
  readonly seed: number;
  readonly xLabel: "epoch" | "step";
  readonly series: readonly { readonly name: string; readonly points: readonly (readonly [number, number])[] }[];
}

/** A cell that did not finish, and why. */
export interface FailedCell extends EntryLabels {
  readonly seed: number;
  readonly message: string;
}

/** Everything a study's report is made of; `study.json` in the study's folder holds it. */
export interface StudyResult {
  readonly schemaVersion: 1;
  readonly name: string;
  readonly status: "done" | "partial";
  readonly cells: readonly CellResult[];
  readonly failed: readonly FailedCell[];
  /** The verdict of the study's `gate`, where it has one. */
  readonly gate?: GateResult;
  readonly curves: readonly Curve[];
  /** Plain sentences on what the numbers rest on: pre-training distance, linear probe, synthetic data. */
  readonly notes: readonly string[];
  readonly provenance: Readonly<Record<string, string | number | boolean>>;
  /** The resolved study file, defaults included, as YAML. */
  readonly config: string;
  /** Wall time of this study's own steps, in seconds, by step name. */
  readonly timings: readonly {
    readonly step: string;
    readonly seconds: number;
    readonly reused: boolean;
    /** The most memory that the process held during the step, in bytes. */
    readonly peakMemory?: number;
  }[];
}
