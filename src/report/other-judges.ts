import { changeOfAttack } from "./change-of-attack.ts";
import type { Condition } from "./conditions.ts";
import { points, sideOf } from "./difference.ts";
import { sameJudges } from "./judges.ts";
import { percentWithInterval } from "./numbers.ts";

/**
 * Says which judges beside the evaluation model do not see that less is found, and what they see.
 * @returns whole sentences; none where every one of them does, or the two conditions have not the same judges
 */
export function doubtsOfOthers(defended: Condition, undefended: Condition): readonly string[] {
  const [, ...others] = sameJudges([undefended.judges, defended.judges]) ?? [];
  const doubts = others.flatMap((name, i) => {
    const difference = changeOfAttack(undefended, defended, i + 1);
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
