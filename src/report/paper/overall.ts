import type { Answer, Verdict } from "./claim.ts";

/** What all tests of a claim say together. */
export type Overall = Exclude<Verdict, "not measured yet"> | "holds in part" | "not measured yet";

/** How often a 95 % interval lies to one given side of zero where there is nothing to find. */
export const ONE_SIDE = 0.025;
/** How many seeds a test needs to have a say in the verdict on its claim. */
export const FEWEST_SEEDS = 3;

const count = (answers: readonly Answer[], verdict: Verdict) => answers.filter((one) => one.verdict === verdict).length;

/** How many of the tests would hold by luck, were there nothing to find; undefined where none was decided or left open. */
export function byLuck(answers: readonly Answer[], eitherWay = false): number | undefined {
  const tests = answers.filter(
    ({ verdict }) => verdict !== "not testable here" && verdict !== "not measured yet",
  ).length;
  return tests === 0 ? undefined : tests * (eitherWay ? 2 : 1) * ONE_SIDE;
}

/**
 * The verdict on a claim by its tests over several seeds. Tests that hold count only where there are more of them than luck would make.
 * A claim holds whole only where no test denies it or leaves it open.
 */
export function overall(answers: readonly Answer[], eitherWay = false): Overall {
  const whole = answers.filter(({ seeds }) => seeds >= FEWEST_SEEDS);
  const luck = byLuck(whole, eitherWay);
  if (luck === undefined) return count(whole, "not measured yet") > 0 ? "not measured yet" : "not testable here";
  const holding = count(whole, "holds here");
  const denied = count(whole, "does not hold here");
  const open = count(whole, "not shown here");
  if (holding > luck) return denied + open === 0 ? "holds here" : "holds in part";
  return denied > open ? "does not hold here" : "not shown here";
}
