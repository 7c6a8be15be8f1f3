/** A part of what an attack takes: a prior that others may share, or the attack itself. */
export interface Part {
  readonly name: string;
  readonly seconds: number;
}

/** An attack, and all that it takes. */
export interface AttackCost {
  readonly attack: string;
  readonly parts: readonly Part[];
}

/** An attack that a budget has no room for. */
export interface TooDear {
  readonly attack: string;
  /** Seconds of the whole audit with this attack alone. */
  readonly seconds: number;
}

/** An attack that was not run whatever the budget, and why. */
export interface LeftOut {
  readonly attack: string;
  readonly reason: string;
}

/** Judging and rendering what an attack found, and what the first steps do not show of a step's cost. */
const MARGIN = 1.25;

/**
 * Takes attacks in their order as long as they fit; what two of them share counts once.
 * @param spent seconds of the budget that are gone
 */
export function chooseAttacks(
  costs: readonly AttackCost[],
  budget: number,
  spent: number,
): { readonly chosen: readonly string[]; readonly tooDear: readonly TooDear[] } {
  const chosen: string[] = [];
  const tooDear: TooDear[] = [];
  const paid = new Set<string>();
  let used = spent;
  for (const { attack, parts } of costs) {
    const seconds = MARGIN * total(parts.filter(({ name }) => !paid.has(name)));
    if (used + seconds <= budget) {
      chosen.push(attack);
      used += seconds;
      for (const { name } of parts) paid.add(name);
    } else tooDear.push({ attack, seconds: spent + MARGIN * total(parts) });
  }
  return { chosen, tooDear };
}

const total = (parts: readonly Part[]) => parts.reduce((sum, { seconds }) => sum + seconds, 0);

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** A time as `parseDuration` reads it, rounded up: seconds below five minutes, else minutes. */
export const durationText = (seconds: number): string =>
  seconds < 300 ? `${Math.ceil(seconds)}s` : `${Math.ceil(seconds / 60)}m`;

/** A time as it was given, in the largest unit that leaves it whole: what is said beside it never seems to be less. */
export function exactDuration(seconds: number): string {
  const [unit, size] = Object.entries(UNITS).findLast(([, size]) => seconds % size === 0) ?? ["s", 1];
  return `${seconds / size}${unit}`;
}

/** Seconds of `90s`, `30m`, `2h` or `1.5h`; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smh])$/.exec(text) ?? [];
  return number === undefined || unit === undefined || Number(number) === 0 ? undefined : Number(number) * UNITS[unit]!;
}
