import { UserError } from "../../engine/errors.ts";
import { type GateResult, GateSettings, judgeGate } from "../../study/gate.ts";
import { type FinishedRun, readRun } from "../read-run.ts";

export { gateAnnotations } from "./annotations.ts";
export { gateJunit } from "./junit.ts";
export { gateMarkdown } from "./markdown.ts";

/** What a gate is asked to judge a run by. */
export type GateRequest = Partial<GateSettings>;

/**
 * Judges a study, or one cell of it: by the bounds that are given, or where none is by the study's own gate, whose selection and
 * `allowWeakAttack` the request may replace.
 * @throws UserError where there are no bounds, a metric is unknown, or the run cannot be read.
 */
export async function gateOfRun(dir: string, request: GateRequest): Promise<{ name: string; gate: GateResult }> {
  const run = await readRun(dir);
  const asked = request.max !== undefined || request.min !== undefined ? request : { ...ownGate(run), ...request };
  if (asked.max === undefined && asked.min === undefined) {
    throw new UserError(
      "gate: no bounds: expected --max NAME=NUMBER or --min NAME=NUMBER, or a `gate` in the study file",
    );
  }
  const settings = GateSettings.safeParse(asked);
  if (!settings.success) throw new UserError(settings.error.issues.map(({ message }) => `gate: ${message}`).join("\n"));
  return { name: run.name, gate: judgeGate(settings.data, run, run.around) };
}

/** The gate of the study file. Its selection is of a study's cells; one cell is what it is. */
function ownGate({ kind, config }: FinishedRun): GateRequest {
  const own = GateSettings.safeParse(config.gate).data;
  if (own === undefined || kind === "study") return own ?? {};
  const { defenses: _, attacks: __, ...rest } = own;
  return rest;
}
