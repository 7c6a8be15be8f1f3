import type { Condition } from "./conditions.ts";
import { type Difference, differenceOf, points, sideOf } from "./difference.ts";
import { sameJudges } from "./judges.ts";
import { percentWithInterval } from "./numbers.ts";
import { pairedDifference } from "./paired-difference.ts";
import { peopleInCommon } from "./people-in-common.ts";
import { seedsInWords } from "./seeds-in-words.ts";
import { judgesOfAll, seenBy } from "./seen-by.ts";

/** What a judge finds more on the second condition than on the first: person by person, where results say what it saw of each. */
function differenceFor(judge: number, first: Condition, second: Condition): Difference {
  const paired =
    judgesOfAll([first, second]) !== undefined &&
    seedsInWords(first.cells) === seedsInWords(second.cells) &&
    peopleInCommon([...first.cells, ...second.cells], ["attackAccuracy"]).length > 1;
  if (paired) return pairedDifference(seenBy(first, judge).cells, seenBy(second, judge).cells, "attackAccuracy");
  return differenceOf(first.judges!.judges[judge]!.attackAccuracy, second.judges!.judges[judge]!.attackAccuracy);
}

/**
 * Says which judges beside the evaluation model do not see that less is found, and what they see.
 * @returns whole sentences; none where every one of them does, or the two conditions have not the same judges
 */
export function doubtsOfOthers(defended: Condition, undefended: Condition): readonly string[] {
  const [, ...others] = sameJudges([undefended.judges, defended.judges]) ?? [];
  const doubts = others.flatMap((name, i) => {
    const difference = differenceFor(i + 1, undefended, defended);
    const side = sideOf(difference);
    if (side < 0) return [];
    const rates = [defended, undefended].map(({ judges }) =>
      percentWithInterval(judges!.judges[i + 1]!.attackAccuracy),
    );
    const says = side > 0 ? "sees more" : "leaves it open";
    return `${name} ${says}: ${rates.join(" against ")} without a defense, ${points(difference)} points.`;
  });
  return doubts.length === 0 ? [] : ["Other judges do not confirm it.", ...doubts];
}
