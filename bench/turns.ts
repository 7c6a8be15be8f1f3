import { setTimeout } from "node:timers/promises";
import { quantile } from "./statistics.ts";

/** What can be run a number of times and says how long each took, in milliseconds. */
export interface Runner {
  run(count: number): Promise<readonly number[]>;
}

/** How long to measure. */
export interface Pace {
  /** Seconds of a measurement, all runners together. */
  readonly seconds: number;
  /** Rounds at least and at most. */
  readonly least: number;
  readonly most: number;
}

/** A turn shorter than this measures the switch between processes too. */
const TURN_MS = 200;
const RUNS_A_TURN = 50;

/** Threads of a runtime spin a while after their work; the next process must not share the cores with them. */
const REST_MS = 20;

/**
 * Runs each of the runners in turn, round by round, and gives for each runner the times of each of its turns. Whatever else the machine
 * does meets all of them alike. One run of each comes first and does not count.
 */
export async function takeTurns(runners: readonly Runner[], { seconds, least, most }: Pace): Promise<number[][][]> {
  const first: number[] = [];
  for (const runner of runners) first.push(quantile(await runner.run(1), 0.5));
  const counts = first.map((ms) => Math.min(RUNS_A_TURN, Math.max(1, Math.ceil(TURN_MS / Math.max(ms, 1e-3)))));
  const round = first.reduce((sum, ms, i) => sum + ms * counts[i]! + REST_MS, 0);
  const rounds = Math.min(most, Math.max(least, Math.floor((seconds * 1000) / round)));
  const times: number[][][] = runners.map(() => []);
  for (let r = 0; r < rounds; r++)
    for (const [i, runner] of runners.entries()) {
      times[i]!.push([...(await runner.run(counts[i]!))]);
      await setTimeout(REST_MS);
    }
  return times;
}

/** For each round, the second runner's median time over the first's: how many times faster the first is. */
export function roundRatios(first: readonly (readonly number[])[], second: readonly (readonly number[])[]): number[] {
  return first.map((turn, r) => quantile(second[r]!, 0.5) / quantile(turn, 0.5));
}
