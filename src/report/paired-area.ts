import { studentHalfWidth } from "../metrics/student-quantile.ts";
import { type AreaBetween, type CurvePoint, curvePoint, meanGap } from "../metrics/trade-off.ts";
import type { Condition } from "./conditions.ts";
import { peopleInCommon } from "./people-in-common.ts";

/** What is left out in turn: a person or a seed, with its natural and attack accuracy on each target. */
type Units = ReadonlyMap<Condition, readonly CurvePoint[]>;

/**
 * The area between two utility–leakage curves, as `areaBetween` draws and divides them, with an interval like that of `pairedDifference`: the
 * wider of Student's t over people and over seeds. An area is no mean over either, so the t is of the jackknife's pseudo-values
 * n·area − (n − 1)·area without one (Tukey, Annals of Mathematical Statistics 1958), in which natural accuracies vary as well.
 * @param first targets of one attack
 * @returns undefined where the curves share no range, or lose it without one person or seed, and where the targets have fewer than two
 * people with both accuracies, or no seed, in common
 */
export function pairedArea(first: readonly Condition[], second: readonly Condition[]): AreaBetween | undefined {
  const found = meanGap(first.map(curvePoint), second.map(curvePoint));
  const targets = [...new Set([...first, ...second])];
  const shared = inCommon(targets);
  if (found === undefined || shared === undefined) return undefined;
  const ofPeople = pseudoValues(first, second, shared.people);
  const ofSeeds = pseudoValues(first, second, shared.seeds);
  if (ofPeople === undefined || ofSeeds === undefined) return undefined;
  const half = Math.max(studentHalfWidth(ofPeople), studentHalfWidth(ofSeeds));
  const { value, from, to } = found;
  const n = targets.reduce((sum, { attackAccuracy }) => sum + attackAccuracy.n, 0);
  return { difference: { value, n, low: Math.max(-1, value - half), high: Math.min(1, value + half) }, from, to };
}

/** People with both accuracies and seeds that all targets have, each with its mean over the other. */
function inCommon(targets: readonly Condition[]): { readonly people: Units; readonly seeds: Units } | undefined {
  const rates = new Map(
    targets.map((target) => [
      target,
      new Map(
        target.cells.map(({ seed, identities }) => [
          seed,
          new Map(
            identities.map(({ identity, naturalAccuracy, attackAccuracy }): [string, CurvePoint] => [
              identity,
              [naturalAccuracy, attackAccuracy],
            ]),
          ),
        ]),
      ),
    ]),
  );
  const all = [...rates.values()];
  const seeds = [...(all[0]?.keys() ?? [])].filter((seed) => all.every((cells) => cells.has(seed)));
  const cells = targets.flatMap((target) => target.cells.filter(({ seed }) => seeds.includes(seed)));
  const people = peopleInCommon(cells, ["naturalAccuracy", "attackAccuracy"]);
  if (people.length < 2) return undefined;
  const each = (of: (ofTarget: ReadonlyMap<number, ReadonlyMap<string, CurvePoint>>) => CurvePoint[]): Units =>
    new Map([...rates].map(([target, ofTarget]) => [target, of(ofTarget)]));
  return {
    people: each((ofTarget) => people.map((person) => mean(seeds.map((seed) => ofTarget.get(seed)!.get(person)!)))),
    seeds: each((ofTarget) => seeds.map((seed) => mean(people.map((person) => ofTarget.get(seed)!.get(person)!)))),
  };
}

function sum(points: readonly CurvePoint[]): CurvePoint {
  return points.reduce(([x, y], [dx, dy]) => [x + dx, y + dy], [0, 0]);
}

function mean(points: readonly CurvePoint[]): CurvePoint {
  const [x, y] = sum(points);
  return [x / points.length, y / points.length];
}

/** The jackknife's pseudo-values; none for a single unit, undefined where the curves share no range without one of them. */
function pseudoValues(
  first: readonly Condition[],
  second: readonly Condition[],
  units: Units,
): readonly number[] | undefined {
  const n = units.get(first[0]!)!.length;
  if (n === 1) return [];
  const sums = new Map([...units].map(([target, points]) => [target, sum(points)]));
  const areaOf = (at: (target: Condition) => CurvePoint) => meanGap(first.map(at), second.map(at))?.value;
  const whole = areaOf((target) => mean(units.get(target)!));
  const without = Array.from({ length: n }, (_, left) =>
    areaOf((target) => {
      const [x, y] = sums.get(target)!;
      const [dx, dy] = units.get(target)![left]!;
      return [(x - dx) / (n - 1), (y - dy) / (n - 1)];
    }),
  );
  if (whole === undefined || without.includes(undefined)) return undefined;
  return without.map((area) => n * whole - (n - 1) * area!);
}
