import { depthCorrelation } from "../../../fisher/depth.ts";
import { UNDEFENDED } from "../../conditions.ts";
import { fixed, percent } from "../../numbers.ts";
import { meanOverSeeds } from "../../seeds.ts";
import type { Claim, Question } from "../claim.ts";
import { attacksOf, cellsOf, labelsWith, TL_DMI, undefendedIn, whereAttackWorks } from "../conditions.ts";
import type { StudyEvidence } from "../evidence.ts";

/** Fewer boundaries than this have no order that luck would not bring. */
const FEWEST_BOUNDARIES = 3;

function question(study: StudyEvidence, attack: string): Question {
  const needs = cellsOf(study, attack, [UNDEFENDED, TL_DMI]);
  const seeds = [...new Set(needs.map(({ seed }) => seed))];
  return {
    studies: [study.file],
    about: `${study.model}, ${attack}: ${labelsWith(study, TL_DMI).length} boundaries and none`,
    needs,
    decide: () =>
      whereAttackWorks(undefendedIn(study, attack), () => {
        const orders = seeds.map((seed) => {
          const results = needs.flatMap(({ seed: own, result }) => (own === seed && result ? [result] : []));
          const sorted = results.toSorted((a, b) => a.trainableParameters - b.trainableParameters);
          const { rho } = depthCorrelation(sorted.map(({ attackAccuracy }) => attackAccuracy.value));
          return { sorted, rho };
        });
        const rho = meanOverSeeds(
          orders.map((order) => ({ value: order.rho, n: order.sorted.length, low: order.rho, high: order.rho })),
          [-1, 1],
        );
        const first = orders[0]!.sorted;
        const listed = first.map(
          ({ attackAccuracy, boundary }) => `${boundary ?? "none"} ${percent(attackAccuracy.value, 1)}`,
        );
        const figures =
          `ρ ${fixed(rho.value, 2)} [${fixed(rho.low, 2)}, ${fixed(rho.high, 2)}]; seed ${seeds[0]}, from the fewest trained ` +
          `parameters: ${listed.join(", ")}`;
        if (rho.low > 0) return { verdict: "holds here", why: "more trained parameters, more found", figures };
        if (rho.high < 0) return { verdict: "does not hold here", why: "more trained parameters, less found", figures };
        return { verdict: "not shown here", why: "the interval of ρ holds zero", figures };
      }),
  };
}

/** Figure 1 III. */
export const fewerParameters: Claim = {
  title: "The fewer parameters see private images, the less leaks",
  said: "Attack accuracy falls with the number of fine-tuned parameters, for KEDMI on VGG16 and PPA on ResNet-18 (figure 1 III).",
  test:
    "Spearman's ρ between trained parameters and attack accuracy over a model's boundaries and the undefended target, one ρ a seed: holds " +
    "where Student's 95 % interval over seeds lies above zero. For studies with several seeds and at least three boundaries.",
  questions: (studies) =>
    studies
      .filter(
        (study) =>
          labelsWith(study, TL_DMI).length >= FEWEST_BOUNDARIES &&
          new Set(study.cells.map(({ seed }) => seed)).size > 1,
      )
      .flatMap((study) => attacksOf(study).map((attack) => question(study, attack))),
};
