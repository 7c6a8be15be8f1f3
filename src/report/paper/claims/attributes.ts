import type { CellResult, Measured } from "../../../study/result.ts";
import { differenceOf, points } from "../../difference.ts";
import { percentWithInterval } from "../../numbers.ts";
import { meanOverSeeds } from "../../seeds.ts";
import type { Claim, Question } from "../claim.ts";
import { againstUndefended, attacksOf, labelsWith, TL_DMI, whereLess } from "../conditions.ts";
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
  return againstUndefended(study, attack, label, ({ undefended, defended }) => {
    const [before, after] = [overSeeds(undefended, "reconstruction"), overSeeds(defended, "reconstruction")];
    const difference = differenceOf(before, after);
    return {
      ...whereLess(difference, "fewer attributes are read rightly", "more attributes are read rightly"),
      figures:
        `read rightly ${percentWithInterval(after, 1)} against ${percentWithInterval(before, 1)}, ${points(difference)} points; ` +
        `guessing ${percentWithInterval(overSeeds(undefended, "guess"), 1)}`,
    };
  });
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
