import { mean } from "./mean.ts";
import { studentHalfWidth } from "./student-quantile.ts";

/**
 * The mean of numbers that each seed has of each person, and half of its 95 % interval: the wider of Student's t over people, each with the
 * mean of their seeds, and over seeds. Images and searches of one person, and people of one target, do not vary by themselves.
 * @param bySeed a row a seed, the same people in each
 */
export function meanOverPeople(bySeed: readonly (readonly number[])[]): {
  readonly value: number;
  readonly half: number;
} {
  const ofPeople = (bySeed[0] ?? []).map((_, person) => mean(bySeed.map((seed) => seed[person]!)));
  const ofSeeds = bySeed.map(mean);
  return { value: mean(ofPeople), half: Math.max(studentHalfWidth(ofPeople), studentHalfWidth(ofSeeds)) };
}
