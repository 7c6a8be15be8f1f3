import { expect, test } from "vitest";
import { random } from "../engine/random.ts";
import { wilson } from "./interval.ts";
import { type Choice, preference } from "./preference.ts";

/** Everybody chooses on every question; `chance` says how likely the first is. */
const everybody = (
  people: number,
  questions: number,
  chance: (person: number, question: number) => number,
  seed = 1,
) => {
  const rng = random(seed, "choices");
  return Array.from({ length: people * questions }, (_, i): Choice => {
    const [person, question] = [Math.floor(i / questions), i % questions];
    return { participant: `p${person}`, question, first: rng.uniform() < chance(person, question) };
  });
};

test("one participant's choices are a rate with Wilson's interval", () => {
  const choices = everybody(1, 20, (_, question) => (question < 15 ? 1 : 0));
  expect(preference(choices, 1)).toEqual(wilson(15, 20));
});

test("several participants who agree on each question are worth no more than the questions", () => {
  const choices = everybody(40, 20, (_, question) => (question < 15 ? 1 : 0));
  const { value, n, low, high } = preference(choices, 1);
  expect([value, n]).toEqual([0.75, 800]);
  // Twenty independent questions: a standard error of √(0.75 · 0.25 / 20) = 0.097.
  expect(high - low).toBeGreaterThan(3.2 * 0.097);
  expect(high - low).toBeLessThan(4.4 * 0.097);
});

test("participants who differ widen it as well, and independent choices narrow it", () => {
  const width = (choices: Choice[]) => {
    const { low, high } = preference(choices, 1);
    return high - low;
  };
  const byPerson = width(everybody(10, 40, (person) => (person % 2 === 0 ? 0.95 : 0.05)));
  const independent = width(everybody(10, 40, () => 0.5));
  expect(byPerson).toBeGreaterThan(0.4);
  expect(independent).toBeLessThan(0.25);
});

test("is the same for the same choices in any order, and needs one", () => {
  const choices = everybody(4, 9, () => 0.6);
  expect(preference(choices.toReversed(), 1)).toEqual(preference(choices, 1));
  expect(() => preference([], 1)).toThrow("at least one trial");
});
