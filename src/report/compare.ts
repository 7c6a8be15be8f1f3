import { UserError } from "../engine/errors.ts";
import { asJson, canonicalJson } from "../study/canonical.ts";
import { attackName, defenseName } from "../study/entry-labels.ts";
import { metricsIn, type NamedMetric } from "../study/named-metrics.ts";
import type { CellResult, Measured } from "../study/result.ts";
import { apart, type Difference, differenceOf } from "./difference.ts";
import { otherGround } from "./ground.ts";
import { type FinishedRun, readRun } from "./read-run.ts";

/** One metric of two cells. */
export interface MetricDifference {
  readonly name: string;
  readonly first: Measured;
  readonly second: Measured;
  /** second − first */
  readonly difference: Difference;
  /** Whether the two intervals do not overlap. */
  readonly apart: boolean;
  /** Whether the second is better or worse for the model's owner, where intervals are apart and the metric says which is. */
  readonly change?: "better" | "worse";
}

/** Two cells side by side. */
export interface ComparedCells {
  /** Run folders, relative to their studies'. */
  readonly first: string;
  readonly second: string;
  /** What sets them apart: `defense: none → tl-dmi`. */
  readonly settings: readonly string[];
  readonly metrics: readonly MetricDifference[];
}

/** Two runs compared cell by cell. */
export interface RunComparison {
  readonly first: string;
  readonly second: string;
  /** Keys of the study files whose settings differ, beside those that the grid spans. */
  readonly differentKeys: readonly string[];
  readonly pairs: readonly ComparedCells[];
  /** Cells without a counterpart, by their run folders. */
  readonly unpaired: { readonly first: readonly string[]; readonly second: readonly string[] };
}

const SETTINGS = ["model", "defense", "boundary", "attack", "seed"] as const;

/** What tells a cell from others of its run, in the order of `SETTINGS`. */
const settingsOf = (cell: CellResult): readonly (string | number | null)[] => [
  cell.model,
  defenseName(cell),
  cell.boundary,
  attackName(cell),
  cell.seed,
];

/** Keys that a cell's own setting says already, or that change no number. */
const SAID = new Set(["name", "seeds", "defenses", "defense", "attacks", "attack", "model", "metrics", "gate"]);

/**
 * Compares two runs, each the folder of a study or of a cell. Two single cells are set against each other whatever their settings; otherwise
 * each cell is set against the one with the same model, defense, boundary, attack and seed.
 * @throws UserError where they are not comparable: other private images, another evaluation model, other attacked identities, or no cells
 * that belong together.
 */
export async function compareRuns(firstDir: string, secondDir: string): Promise<RunComparison> {
  const [first, second] = [await readRun(firstDir), await readRun(secondDir)];
  const faults = incomparable(first, second);
  if (faults.length > 0) {
    throw new UserError(
      `${first.dir} and ${second.dir} are not comparable:\n${faults.map((fault) => `  ${fault}`).join("\n")}`,
    );
  }
  const pairs = pairsOf(first.cells, second.cells);
  if (pairs.length === 0) {
    throw new UserError(
      `${first.dir} and ${second.dir} have no cell of the same ${SETTINGS.join(", ")}; to compare different settings, name two cells' run folders`,
    );
  }
  const paired = new Set(pairs.flat());
  const alone = ({ cells }: FinishedRun) => cells.filter((cell) => !paired.has(cell)).map(({ run }) => run);
  return {
    first: first.name,
    second: second.name,
    differentKeys: differentKeys(first.config, second.config),
    pairs: pairs.map(([a, b]) => compareCells(a, b)),
    unpaired: { first: alone(first), second: alone(second) },
  };
}

/** Why numbers of two runs must not stand side by side; empty where they may. */
function incomparable(first: FinishedRun, second: FinishedRun): string[] {
  const [a, b] = [first.cells[0], second.cells[0]];
  for (const [run, cell] of [
    [first, a],
    [second, b],
  ] as const) {
    if (cell === undefined) return [`${run.dir} has no finished cell`];
    if (cell.basis === undefined)
      return [
        `${run.dir} does not say which images and evaluation model it rests on; run its study again (finished steps are reused)`,
      ];
  }
  return a === undefined || b === undefined ? [] : otherGround(a, b);
}

type Pair = readonly [CellResult, CellResult];

function pairsOf(first: readonly CellResult[], second: readonly CellResult[]): readonly Pair[] {
  const [a, b] = [first[0], second[0]];
  if (a !== undefined && b !== undefined && first.length === 1 && second.length === 1) return [[a, b]];
  const keyOf = (cell: CellResult) => JSON.stringify(settingsOf(cell));
  const open = [...second];
  return first.flatMap((cell): Pair[] => {
    const at = open.findIndex((other) => keyOf(other) === keyOf(cell));
    return at < 0 ? [] : [[cell, open.splice(at, 1)[0]!]];
  });
}

function compareCells(first: CellResult, second: CellResult): ComparedCells {
  const [a, b] = [settingsOf(first), settingsOf(second)];
  const settings = SETTINGS.flatMap((key, i) =>
    a[i] === b[i] ? [] : [`${key}: ${a[i] ?? "none"} → ${b[i] ?? "none"}`],
  );
  const metrics = metricsIn([first, second]).flatMap((metric) => {
    const [a, b] = [metric.read(first), metric.read(second)];
    return a === undefined || b === undefined ? [] : [differenceIn(metric, a, b)];
  });
  return { first: first.run, second: second.run, settings, metrics };
}

function differenceIn({ name, better }: NamedMetric, first: Measured, second: Measured): MetricDifference {
  const isApart = apart(first, second);
  const rises = second.value > first.value;
  const change =
    isApart && better !== undefined ? ({ change: rises === (better === "high") ? "better" : "worse" } as const) : {};
  return { name, first, second, difference: differenceOf(first, second), apart: isApart, ...change };
}

function differentKeys(first: FinishedRun["config"], second: FinishedRun["config"]): string[] {
  const text = (value: unknown) => canonicalJson(asJson([value ?? null]));
  const keys = new Set([...Object.keys(first), ...Object.keys(second)]);
  return [...keys].filter((key) => !SAID.has(key) && text(first[key]) !== text(second[key]));
}
