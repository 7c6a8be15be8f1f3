import { random } from "../engine/random.ts";
import { quantile, wilson } from "./interval.ts";
import type { Measured } from "./measured.ts";

/** One forced choice: who chose, of which question, and whether the first of the two was chosen. */
export interface Choice {
  readonly participant: string;
  readonly question: number;
  readonly first: boolean;
}

const RESAMPLES = 2000;

/**
 * How often people chose the first of two, with a 95 % interval. With one participant it is Wilson's. With several, choices of one
 * person and choices about one question resemble each other, so participants and questions are both resampled with replacement, and a
 * choice counts as often as the product of the two (Owen, The Pigeonhole Bootstrap, 2007): wide enough for new people and new questions.
 * @throws RangeError without any choice.
 */
export function preference(choices: readonly Choice[], seed: number): Measured {
  const chosen = choices.filter(({ first }) => first).length;
  const overall = wilson(chosen, choices.length);
  const participants = [...new Set(choices.map(({ participant }) => participant))].sort();
  const questions = [...new Set(choices.map(({ question }) => question))].sort((a, b) => a - b);
  if (participants.length < 2) return overall;
  const rng = random(seed, "metrics", "preference");
  const draw = <T>(all: readonly T[]) => {
    const weights = new Map<T, number>();
    for (let i = 0; i < all.length; i++) {
      const one = all[rng.int(all.length)]!;
      weights.set(one, (weights.get(one) ?? 0) + 1);
    }
    return weights;
  };
  const rates: number[] = [];
  for (let resample = 0; resample < RESAMPLES; resample++) {
    const [people, asked] = [draw(participants), draw(questions)];
    let [sum, count] = [0, 0];
    for (const { participant, question, first } of choices) {
      const weight = (people.get(participant) ?? 0) * (asked.get(question) ?? 0);
      count += weight;
      if (first) sum += weight;
    }
    if (count > 0) rates.push(sum / count);
  }
  const sorted = Float64Array.from(rates).sort();
  const { value, n } = overall;
  return { value, n, low: Math.min(value, quantile(sorted, 0.025)), high: Math.max(value, quantile(sorted, 0.975)) };
}
