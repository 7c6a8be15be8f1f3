import { depthCorrelation, rankCorrelation } from "../../../fisher/depth.ts";
import { mean } from "../../../metrics/mean.ts";
import { studentHalfWidth } from "../../../metrics/student-quantile.ts";
import type { CellResult } from "../../../study/result.ts";
import { bounded, type Difference } from "../../difference.ts";
import { fixed, percent } from "../../numbers.ts";
import { peopleInCommon } from "../../people-in-common.ts";
import type { Claim, Decision, Question } from "../claim.ts";
import {
  attacksOf,
  cellsOf,
  controlsOf,
  labelsWith,
  resultsOf,
  TL_DMI,
  UNBOUNDED,
  undefendedIn,
  whereAttackWorks,
} from "../conditions.ts";
import type { StudyEvidence } from "../evidence.ts";

/** Fewer boundaries than this have no order that luck would not bring. */
const FEWEST_BOUNDARIES = 3;
/** Below this a spread is one of rounding. */
const NO_SPREAD = 1e-9;
/** An order that has no spread must be rarer than this among random ones. */
const CHANCE = 0.05;

/** One seed's targets, from the fewest trained parameters to the most. */
type Order = readonly CellResult[];

/**
 * The mean over seeds of ρ, with the wider of Student's 95 % intervals over seeds and over people. ρ is no mean over people, so the latter is
 * of the jackknife's pseudo-values n·ρ − (n − 1)·ρ without one of them, as in `pairedArea`.
 */
function meanRho(orders: readonly Order[]): Difference & { readonly spread: number } {
  const ofSeeds = orders.map((order) => rankCorrelation(order.map(({ attackAccuracy }) => attackAccuracy.value)));
  const value = mean(ofSeeds);
  const people = peopleInCommon(orders.flat(), ["attackAccuracy"]);
  const n = people.length;
  if (n < 2) return { value, low: Number.NaN, high: Number.NaN, spread: 0 };
  const rates = orders.map((order) =>
    order.map(({ identities }) => {
      const rate = new Map(identities.map(({ identity, attackAccuracy }) => [identity, attackAccuracy]));
      return people.map((person) => rate.get(person)!);
    }),
  );
  const sums = rates.map((order) => order.map((target) => target.reduce((sum, rate) => sum + rate, 0)));
  const without = people.map((_, left) =>
    mean(
      rates.map((order, seed) =>
        rankCorrelation(order.map((target, at) => rounded((sums[seed]![at]! - target[left]!) / (n - 1)))),
      ),
    ),
  );
  // What is the same for all of them has no say in their spread: ρ of everybody.
  const spread = Math.max(studentHalfWidth(ofSeeds), studentHalfWidth(without.map((rho) => -(n - 1) * rho)));
  return { value, low: Math.max(-1, value - spread), high: Math.min(1, value + spread), spread };
}

/** Rates that are alike are alike in whatever order they were summed: ranks are of the rates, not of the rounding. */
const rounded = (rate: number) => Math.round(rate * 1e9) / 1e9;

function decide(orders: readonly Order[]): Decision {
  const rho = meanRho(orders);
  const first = orders[0]!;
  const listed = first.map(
    ({ attackAccuracy, boundary }) => `${boundary ?? "none"} ${percent(attackAccuracy.value, 1)}`,
  );
  const figures =
    `ρ ${fixed(rho.value, 2)} [${fixed(rho.low, 2)}, ${fixed(rho.high, 2)}]; seed ${first[0]!.seed}, from the fewest trained ` +
    `parameters: ${listed.join(", ")}`;
  if (!bounded(rho)) return { ...UNBOUNDED, figures };
  if (rho.spread < NO_SPREAD) {
    const { chance } = depthCorrelation(first.map(({ attackAccuracy }) => attackAccuracy.value));
    const told = `${figures}; the same in every seed and without any one person, and ${percent(chance, 1)} of random orders are as far from zero`;
    if (chance > CHANCE)
      return { verdict: "not shown here", why: "too few boundaries to rule out chance", figures: told };
    return { ...decided(rho), figures: told };
  }
  return { ...decided(rho), figures };
}

function decided(rho: Difference): Pick<Decision, "verdict" | "why"> {
  if (rho.low > 0) return { verdict: "holds here", why: "more trained parameters, more found" };
  if (rho.high < 0) return { verdict: "does not hold here", why: "more trained parameters, less found" };
  return { verdict: "not shown here", why: "the interval of ρ holds zero" };
}

function question(study: StudyEvidence, attack: string): Question {
  const needs = [...controlsOf(study, attack), ...cellsOf(study, attack, [TL_DMI])];
  return {
    studies: [study.file],
    about: `${study.model}, ${attack}: ${labelsWith(study, TL_DMI).length} boundaries and none`,
    needs,
    decide: () =>
      whereAttackWorks(undefendedIn(study, attack), () => {
        const results = resultsOf(needs).toSorted((a, b) => a.trainableParameters - b.trainableParameters);
        const seeds = [...new Set(needs.map(({ seed }) => seed))];
        return decide(seeds.map((seed) => results.filter((result) => result.seed === seed)));
      }),
  };
}

/** Figure 1 III. */
export const fewerParameters: Claim = {
  title: "The fewer parameters see private images, the less leaks",
  said: "Attack accuracy falls with the number of fine-tuned parameters, for KEDMI on VGG16 and PPA on ResNet-18 (figure 1 III).",
  test:
    "Spearman's ρ between trained parameters and attack accuracy over a model's boundaries and the undefended target, as a mean over seeds. " +
    "Holds where the 95 % interval lies above zero: the wider of Student's t over seeds and over people, each left out in turn (jackknife). " +
    `Where both have no spread at all, fewer than ${percent(CHANCE)} of random orders must be as far from zero (permutation test of one seed). ` +
    "Natural accuracy has no say in it: a target that leaks less may also be a worse classifier. For studies with several seeds and at least three boundaries.",
  questions: (studies) =>
    studies
      .filter(
        (study) =>
          labelsWith(study, TL_DMI).length >= FEWEST_BOUNDARIES &&
          new Set(study.cells.map(({ seed }) => seed)).size > 1,
      )
      .flatMap((study) => attacksOf(study).map((attack) => question(study, attack))),
};
