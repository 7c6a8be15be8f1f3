import type { StudyEvidence } from "./evidence.ts";

/** What evidence says of a claim. */
export type Verdict =
  | "holds here"
  | "does not hold here"
  /** Measured, and the intervals leave both open. */
  | "not shown here"
  | "not testable here"
  | "not measured yet";

/** A verdict, what it rests on, and the numbers. */
export interface Decision {
  readonly verdict: Verdict;
  readonly why: string;
  readonly figures: string;
}

/** A record that a question rests on. */
export interface Need {
  readonly name: string;
  /** Where it lies; absent where it is not there yet. */
  readonly file?: string;
  readonly seed: number;
}

/** One test of a claim: what it is about, and how records decide it. */
export interface Question {
  /** Paths of the studies, from the project's folder. */
  readonly studies: readonly string[];
  readonly about: string;
  readonly needs: readonly Need[];
  /** Called only where every need is there. */
  decide(): Decision;
}

/** One claim of the paper, or a question that it leaves open. */
export interface Claim {
  readonly title: string;
  /** What the paper says, and where. */
  readonly said: string;
  /** How it is decided here: each test by a 95 % interval. */
  readonly test: string;
  /** Set where a difference of either sign is what is claimed; else one sign alone is. */
  readonly eitherWay?: true;
  questions(studies: readonly StudyEvidence[]): readonly Question[];
}

/** A claim of the paper that nothing here can decide, and why. */
export interface BeyondReach {
  readonly title: string;
  readonly said: string;
  readonly why: string;
}

/** A question with its answer. */
export interface Answer extends Decision {
  readonly question: Question;
  /** How many seeds its records are of. */
  readonly seeds: number;
}

/** Decides a question, or says how much of what it needs is there. What rests on one seed alone is said to do so. */
export function answer(question: Question): Answer {
  const { needs } = question;
  const seeds = new Set(needs.map(({ seed }) => seed)).size;
  const there = needs.filter(({ file }) => file !== undefined).length;
  if (there < needs.length)
    return { question, seeds, verdict: "not measured yet", why: `${there} of ${needs.length} records`, figures: "" };
  const decision = question.decide();
  const figures = [decision.figures, ...(seeds === 1 ? ["one seed"] : [])].filter((text) => text !== "").join("; ");
  return { question, seeds, ...decision, figures };
}
