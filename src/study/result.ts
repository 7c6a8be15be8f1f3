import type { Queries } from "../attacks/queries.ts";
import type { AttributeRecovery } from "../metrics/attribute-recovery.ts";
import type { Measured } from "../metrics/measured.ts";

export type { AttributeRecovery, Measured, Queries };

/** One identity's share of a cell's result. */
export interface IdentityResult {
  readonly identity: string;
  readonly label: number;
  readonly naturalAccuracy: number;
  readonly attackAccuracy: number;
  readonly attackAccuracyTop5: number;
  readonly knnDistance: number;
}

/** The result of one cell: one defense, one attack, one seed. Written as `result.json` in the cell's run folder. */
export interface CellResult {
  readonly schemaVersion: 1;
  readonly defense: string;
  readonly attack: string;
  readonly model: string;
  readonly seed: number;
  /** |θ_C|: parameters that saw private data. */
  readonly trainableParameters: number;
  /** |θ_E|: parameters kept as pre-trained. */
  readonly frozenParameters: number;
  /** Name of the last frozen stage; null where nothing is frozen. */
  readonly boundary: string | null;
  readonly naturalAccuracy: Measured;
  readonly attackAccuracy: Measured;
  readonly attackAccuracyTop5: Measured;
  /** Squared L2 distance to the nearest private training image of the attacked class in the evaluation model's features. */
  readonly knnDistance: Measured;
  readonly floors: { readonly randomPrior: Measured; readonly initialSelection: Measured };
  /** What the attack asked of the target. */
  readonly queries?: Queries;
  /** Every measured metric by its kind. */
  readonly metrics?: Readonly<Record<string, Measured>>;
  readonly attributeRecovery: readonly AttributeRecovery[];
  readonly identities: readonly IdentityResult[];
  readonly evaluationModel: { readonly kind: string; readonly naturalAccuracy: Measured };
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
export interface FailedCell {
  readonly defense: string;
  readonly attack: string;
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
  readonly curves: readonly Curve[];
  /** Plain sentences on what the numbers rest on: pre-training distance, linear probe, synthetic data. */
  readonly notes: readonly string[];
  readonly provenance: Readonly<Record<string, string | number | boolean>>;
  /** The resolved study file, defaults included, as YAML. */
  readonly config: string;
  /** Wall time of this study's own steps, in seconds, by step name. */
  readonly timings: readonly { readonly step: string; readonly seconds: number; readonly reused: boolean }[];
}
