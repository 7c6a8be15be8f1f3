import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { attackName, defenseName, type EntryLabels } from "./entry-labels.ts";
import { beatsFloors } from "./floors.ts";
import { boundFault, metricNamed, metricsIn } from "./named-metrics.ts";
import type { CellResult, FailedCell, Measured } from "./result.ts";
import { suggestion } from "./suggest.ts";

const Bounds = z.record(z.string(), z.number()).check((bounds) => {
  for (const [name, limit] of Object.entries(bounds.value)) {
    const message = boundFault(name, limit);
    if (message !== undefined) bounds.issues.push({ code: "custom", input: limit, path: [name], message });
  }
});

/** What a gate demands: the `gate` of a study file, or the options of `tldmi gate`. */
export const GateSettings = z
  .strictObject({
    max: Bounds.default({}).describe("no metric's interval may reach above its number: `{ attack.top1: 0.3 }`"),
    min: Bounds.default({}).describe("no metric's interval may reach below its number: `{ natural: 0.85 }`"),
    defenses: z
      .array(z.string())
      .nonempty()
      .optional()
      .describe("judge the cells of these defenses, by kind or name; of all where it is left out"),
    attacks: z
      .array(z.string())
      .nonempty()
      .optional()
      .describe("judge the cells of these attacks, by kind or name; of all where it is left out"),
    allowWeakAttack: z
      .boolean()
      .default(false)
      .describe("let a bound on leakage hold although the attack beats its floors nowhere"),
  })
  .check(({ value, issues }) => {
    if (Object.keys(value.max).length + Object.keys(value.min).length === 0)
      issues.push({
        code: "custom",
        input: value,
        path: [],
        message: "demands nothing; expected a bound in max or min",
      });
  });
export type GateSettings = z.output<typeof GateSettings>;

/**
 * `holds`: at the unfavourable end of the interval too. `not shown`: the value would hold, its interval does not. `broken`: the value
 * itself is beyond the bound. `not measured`: the metric is missing. `weak attack`: the attack found nothing that its floors had not.
 */
export type GateOutcome = "holds" | "not shown" | "broken" | "not measured" | "weak attack";

/** One demand on one cell. */
export interface GateCheck extends EntryLabels {
  readonly seed: number;
  /** The cell's run folder; absent for a cell that failed. */
  readonly run?: string;
  /** `attack.top1 ≤ 0.3` */
  readonly demand: string;
  readonly outcome: GateOutcome;
  readonly passed: boolean;
  /** One sentence. */
  readonly message: string;
  /** What was measured; absent where nothing was, or where the demand is about the attack itself. */
  readonly measured?: Measured;
}

/** The verdict of a gate: it passes where every check does. */
export interface GateResult {
  readonly passed: boolean;
  readonly checks: readonly GateCheck[];
}

/** The demand that an attack be one. */
export const ATTACK_WORKS = "the attack beats its floors";

/** Refuses a selection that names what is not there. @throws UserError naming what is. */
export function checkSelection({ defenses, attacks }: GateSettings, cells: readonly EntryLabels[]): void {
  const kinds = [
    ["defense", defenses, namesOfDefense],
    ["attack", attacks, namesOfAttack],
  ] as const;
  for (const [kind, chosen, namesOf] of kinds) {
    const there = [...new Set(cells.flatMap(namesOf))];
    const unknown = chosen?.find((name) => !there.includes(name));
    if (unknown !== undefined)
      throw new UserError(`gate: no cell has the ${kind} "${unknown}"${suggestion(unknown, there)}`);
  }
  const selected = cells.filter(selects({ defenses, attacks }));
  if (cells.length > 0 && selected.length === 0)
    throw new UserError("gate: no cell has both one of the chosen defenses and one of the chosen attacks");
}

const namesOfDefense = (cell: EntryLabels) => [defenseName(cell), cell.defense];
const namesOfAttack = (cell: EntryLabels) => [attackName(cell), cell.attack];

const selects =
  ({
    defenses,
    attacks,
  }: {
    readonly defenses?: readonly string[] | undefined;
    readonly attacks?: readonly string[] | undefined;
  }) =>
  (cell: EntryLabels) =>
    (defenses === undefined || namesOfDefense(cell).some((name) => defenses.includes(name))) &&
    (attacks === undefined || namesOfAttack(cell).some((name) => attacks.includes(name)));

const round = (value: number) => String(Number(value.toPrecision(4)));
const said = ({ value, low, high }: Measured) =>
  low === value && high === value ? round(value) : `${round(value)} [${round(low)}, ${round(high)}]`;

interface Bound {
  readonly name: string;
  readonly limit: number;
  readonly most: boolean;
}

const demandOf = ({ name, limit, most }: Bound) => `${name} ${most ? "≤" : "≥"} ${limit}`;

/**
 * Judges cells by bounds. A bound holds where even the unfavourable end of the 95 % interval keeps it; a metric that is missing and a cell
 * that failed break it. Where a bound is on what the attack found, the attack must be one: its interval above both of its floors, on this
 * target or on every undefended target of the same model, attack and seed (a defense that works is no weak attack).
 *
 * @param run the cells to be judged, those selected by the settings
 * @param around the study's cells, where undefended targets are looked for
 * @throws UserError for a selection of what is not there.
 */
export function judgeGate(
  settings: GateSettings,
  run: { readonly cells: readonly CellResult[]; readonly failed: readonly FailedCell[] },
  around: readonly CellResult[] = run.cells,
): GateResult {
  checkSelection(settings, [...run.cells, ...run.failed]);
  const bounds: Bound[] = [
    ...Object.entries(settings.max).map(([name, limit]) => ({ name, limit, most: true })),
    ...Object.entries(settings.min).map(([name, limit]) => ({ name, limit, most: false })),
  ];
  const needsAttack = bounds.some(({ name }) => metricNamed(name)?.fromAttack);
  const isSelected = selects(settings);
  const judged = run.cells
    .filter(isSelected)
    .flatMap((cell) => [
      ...bounds.map((bound) => checkBound(cell, bound)),
      ...(needsAttack ? [checkAttack(cell, around, settings.allowWeakAttack)] : []),
    ]);
  const missing = run.failed.filter(isSelected).flatMap(({ message, seed, ...cell }) =>
    bounds.map(
      (bound): GateCheck => ({
        ...{ ...labelsIn(cell), seed, demand: demandOf(bound), outcome: "not measured", passed: false },
        message: `the cell failed: ${message}`,
      }),
    ),
  );
  const checks = [...judged, ...missing];
  if (checks.length === 0) throw new UserError("gate: the run has no cell to judge");
  return { passed: checks.every(({ passed }) => passed), checks };
}

const placeOf = (cell: CellResult) => ({ ...labelsIn(cell), seed: cell.seed, run: cell.run });

/** How a cell is named, alone. */
const labelsIn = ({ defense, attack, defenseLabel, attackLabel }: EntryLabels): EntryLabels => ({
  defense,
  attack,
  ...(defenseLabel !== undefined && { defenseLabel }),
  ...(attackLabel !== undefined && { attackLabel }),
});

function checkBound(cell: CellResult, bound: Bound): GateCheck {
  const { name, limit, most } = bound;
  const common = { ...placeOf(cell), demand: demandOf(bound) };
  const measured = metricNamed(name)?.read(cell);
  if (measured === undefined) {
    const there = metricsIn([cell]).map((metric) => metric.name);
    const message = `${name} was not measured; this result has ${there.join(", ")}`;
    return { ...common, outcome: "not measured", passed: false, message };
  }
  const keeps = (value: number) => (most ? value <= limit : value >= limit);
  const end = most ? measured.high : measured.low;
  if (keeps(end)) {
    return { ...common, outcome: "holds", passed: true, measured, message: `${name} is ${said(measured)}` };
  }
  const beyond = most ? "above" : "below";
  if (keeps(measured.value)) {
    const message = `${name} is ${said(measured)}: its interval reaches ${beyond} ${limit}, so the bound is not shown to hold`;
    return { ...common, outcome: "not shown", passed: false, measured, message };
  }
  return {
    ...common,
    outcome: "broken",
    passed: false,
    measured,
    message: `${name} is ${said(measured)}, ${beyond} ${limit}`,
  };
}

function checkAttack(cell: CellResult, around: readonly CellResult[], allowed: boolean): GateCheck {
  const common = { ...placeOf(cell), demand: ATTACK_WORKS };
  const { randomPrior, initialSelection } = cell.floors;
  const numbers = `${said(cell.attackAccuracy)} against ${said(randomPrior)} of random samples and ${said(initialSelection)} of initial selection`;
  if (beatsFloors(cell)) return { ...common, outcome: "holds", passed: true, message: numbers };
  const undefended = around.filter(
    (other) =>
      other.defense === "none" &&
      other.start === undefined &&
      cell.defense !== "none" &&
      other.model === cell.model &&
      attackName(other) === attackName(cell) &&
      other.seed === cell.seed,
  );
  if (undefended.length > 0 && undefended.every(beatsFloors)) {
    const message = `not here (${numbers}), but on the undefended target it does, so it counts`;
    return { ...common, outcome: "holds", passed: true, message };
  }
  const where = undefended.length > 0 ? "neither here nor on the undefended target" : "not here";
  const message = `${where}: ${numbers}. An attack that finds nothing says nothing about the target${allowed ? "; accepted as asked" : ""}`;
  return { ...common, outcome: "weak attack", passed: allowed, message };
}
