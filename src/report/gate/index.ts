import { UserError } from "../../engine/errors.ts";
import { type GateResult, GateSettings, judgeGate } from "../../study/gate.ts";
import { readRun } from "../read-run.ts";

export { gateAnnotations } from "./annotations.ts";
export { gateJunit } from "./junit.ts";
export { gateMarkdown } from "./markdown.ts";

/** What a gate is asked to judge a run by; what is left out of it comes from the `gate` of the study. */
export type GateRequest = Partial<GateSettings>;

/**
 * Judges a study, or one cell of it. Bounds that are given replace those of the study file, as does each other setting.
 * @throws UserError where there are no bounds, a metric is unknown, or the run cannot be read.
 */
export async function gateOfRun(dir: string, request: GateRequest): Promise<{ name: string; gate: GateResult }> {
  const run = await readRun(dir);
  const own = GateSettings.safeParse(run.config.gate).data;
  const bounds = request.max === undefined && request.min === undefined ? { max: own?.max, min: own?.min } : request;
  // The selection of a study's gate is of its cells; one cell is what it is.
  const selection = run.kind === "study" ? { defenses: own?.defenses, attacks: own?.attacks } : {};
  const settings = GateSettings.safeParse({
    ...selection,
    allowWeakAttack: own?.allowWeakAttack,
    ...request,
    ...{ max: bounds.max, min: bounds.min },
  });
  if (!settings.success) {
    const nothing = bounds.max === undefined && bounds.min === undefined;
    const advice = `no bounds: expected --max NAME=NUMBER or --min NAME=NUMBER, or a \`gate\` in the study file`;
    throw new UserError(
      `gate: ${nothing ? advice : settings.error.issues.map(({ message }) => message).join("\ngate: ")}`,
    );
  }
  return { name: run.name, gate: judgeGate(settings.data, run, run.around) };
}
