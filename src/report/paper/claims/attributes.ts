import type { CellResult, Measured } from "../../../study/result.ts";
import { UNDEFENDED } from "../../conditions.ts";
import { differenceOf } from "../../difference.ts";
import { percentWithInterval } from "../../numbers.ts";
import { meanOverSeeds } from "../../seeds.ts";
import type { Claim, Question } from "../claim.ts";
import { attacksOf, labelsWith, points, TL_DMI, undefendedIn, whereAttackWorks } from "../conditions.ts";
import type { EvidenceCell, StudyEvidence } from "../evidence.ts";

/** The mean over categories of how often the attribute is read rightly; its interval is the mean of theirs, since they vary together. */
function readRightly({ attributeRecovery }: CellResult, of: "reconstruction" | "guess"): Measured {
  const all = attributeRecovery.filter(({ kind }) => kind === "category").map((attribute) => attribute[of]);
  const mean = (read: (measured: Measured) => number) => all.reduce((sum, one) => sum + read(one), 0) / all.length;
  return {
    value: mean(({ value }) => value),
    n: all[0]?.n ?? 0,
    low: mean(({ low }) => low),
    high: mean(({ high }) => high),
  };
}

function overSeeds(cells: readonly EvidenceCell[], of: "reconstruction" | "guess"): Measured {
  return meanOverSeeds(
    cells.flatMap(({ result }) => (result ? [readRightly(result, of)] : [])),
    [0, 1],
  );
}

function question(study: StudyEvidence, attack: string, label: string): Question {
  const undefended = study.cells.filter((cell) => cell.attack === attack && cell.defense === UNDEFENDED);
  const defended = study.cells.filter((cell) => cell.attack === attack && cell.label === label);
  return {
    studies: [study.file],
    about: `${study.model}, ${attack}: ${label}`,
    needs: [...undefended, ...defended],
    decide: () =>
      whereAttackWorks(undefendedIn(study, attack), () => {
        const [before, after] = [overSeeds(undefended, "reconstruction"), overSeeds(defended, "reconstruction")];
        const difference = differenceOf(before, after);
        const figures =
          `read rightly ${percentWithInterval(after, 1)} against ${percentWithInterval(before, 1)}, ${points(difference)} points; ` +
          `guessing ${percentWithInterval(overSeeds(undefended, "guess"), 1)}`;
        if (difference.high < 0) return { verdict: "holds here", why: "fewer attributes are read rightly", figures };
        if (difference.low > 0)
          return { verdict: "does not hold here", why: "more attributes are read rightly", figures };
        return { verdict: "not shown here", why: "the interval of the difference holds zero", figures };
      }),
  };
}

/** A question that the paper leaves open. */
export const attributes: Claim = {
  title: "Reconstructions give away fewer of a person's attributes",
  said: "Not in the paper: an image that is not recognised may still show hair, head or beard as they are.",
  test:
    "How often a regressor reads a categorical attribute rightly from reconstructions, held against the truth that the drawing knows, " +
    "with TL-DMI minus without; a mean over attributes. Holds where the 95 % interval lies below zero.",
  questions: (studies) =>
    studies
      .filter((study) => study.attributes)
      .flatMap((study) =>
        attacksOf(study).flatMap((attack) => labelsWith(study, TL_DMI).map((label) => question(study, attack, label))),
      ),
};
