import { type AreaBetween, areaBetween, type Operating } from "../metrics/trade-off.ts";
import type { Measured } from "./result.ts";

/** A target under an attack. */
export interface FrontierCell extends Operating {
  /** `tl-dmi layer2.0` */
  readonly label: string;
  /** Name of the last frozen stage; null where nothing is frozen. */
  readonly boundary: string | null;
  /** |θ_C|: parameters that saw private data. */
  readonly trainableParameters: number;
}

/** A cell and what it is worth beside the undefended model. */
export interface FrontierPoint extends FrontierCell {
  /** Attack accuracy minus the undefended model's, on average at equal natural accuracy; null where the curves share no range. */
  readonly leaksMore: AreaBetween | null;
}

/** All boundaries of a model under one attack, for one seed. */
export interface Frontier {
  readonly attack: string;
  readonly seed: number;
  readonly undefended: FrontierCell;
  /** A model that knows nothing: it guesses, and what is found in it is what random samples of the prior show. */
  readonly nothing: Operating;
  /** Attack accuracy of the start pool's best latents on the undefended model; records of earlier versions do not have it. */
  readonly initialSelection?: Measured;
  /** TL-DMI at each stage, from the first to the last. */
  readonly sweep: readonly FrontierPoint[];
  /** The study's other defenses. */
  readonly others: readonly FrontierPoint[];
  /** The boundary whose curve lies lowest; null where none can be compared. */
  readonly best: string | null;
  /** The boundary that Fisher information chose; null where it recommends none, or could not be had. */
  readonly auto: string | null;
  /** Attack accuracy of `auto` minus that of `best`, on average at equal natural accuracy. */
  readonly autoLeaksMore: AreaBetween | null;
}

/** What a frontier is made of. */
export interface FrontierCells {
  readonly attack: string;
  readonly seed: number;
  /** The number of private identities: a guess is right one time in so many. */
  readonly classes: number;
  /** Attack accuracy of random samples of the prior. */
  readonly randomPrior: Measured;
  /** Attack accuracy of the start pool's best latents on the undefended model. */
  readonly initialSelection?: Measured;
  readonly undefended: FrontierCell;
  readonly sweep: readonly FrontierCell[];
  readonly others: readonly FrontierCell[];
  readonly auto: string | null;
}

const SEED = 1;

/**
 * Compares the boundaries of a sweep at equal natural accuracy. A setting's curve leads in straight lines from a model that knows nothing
 * through the setting to the undefended model, or ends at the setting where that is both as useful and as safe as the undefended
 * model: what can be had by answering at random with one model or the other. Curves are compared by the area between them. The
 * best boundary has the lowest curve: it lies farthest from the line that joins knowing nothing and no defense.
 */
export function frontierOf(cells: FrontierCells): Frontier {
  const { attack, seed, classes, randomPrior, initialSelection, undefended, auto } = cells;
  const guess = 1 / classes;
  const { n } = undefended.naturalAccuracy;
  const nothing: Operating = {
    naturalAccuracy: { value: guess, n, low: guess, high: guess },
    attackAccuracy: randomPrior,
  };
  const curve = (cell: FrontierCell): Operating[] =>
    dominates(cell, undefended) ? [nothing, cell] : [nothing, cell, undefended];
  const gap = (first: FrontierCell, second: FrontierCell) =>
    areaBetween(curve(first), second === undefended ? [nothing, undefended] : curve(second), SEED) ?? null;
  const placed = (cell: FrontierCell): FrontierPoint => ({ ...cell, leaksMore: gap(cell, undefended) });
  const sweep = cells.sweep.map(placed);
  const best = sweep.reduce<FrontierPoint | undefined>(
    (lowest, point) => (excess(point) < excess(lowest) ? point : lowest),
    undefined,
  );
  const chosen = sweep.find(({ boundary }) => boundary !== null && boundary === auto);
  return {
    attack,
    seed,
    undefended,
    nothing,
    ...(initialSelection && { initialSelection }),
    sweep,
    others: cells.others.map(placed),
    best: best?.boundary ?? null,
    auto,
    autoLeaksMore: best && chosen ? gap(chosen, best) : null,
  };
}

const excess = (point: FrontierPoint | undefined) => point?.leaksMore?.difference.value ?? Number.POSITIVE_INFINITY;

/** Whether a model is at least as useful and as safe as another. */
function dominates(a: Operating, b: Operating): boolean {
  return a.naturalAccuracy.value >= b.naturalAccuracy.value && a.attackAccuracy.value <= b.attackAccuracy.value;
}
