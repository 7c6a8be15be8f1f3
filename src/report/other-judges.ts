import type { Condition } from "./conditions.ts";
import { percentWithInterval } from "./numbers.ts";

/**
 * Says which judges beside the evaluation model do not see that less is found, and what they see.
 * @returns undefined where every one of them does, or the two conditions have not the same judges
 */
export function doubtOfOthers(defended: Condition, undefended: Condition): string | undefined {
  const [before, after] = [undefended, defended].map(({ judges }) => judges?.judges ?? []);
  if (before!.map(({ name }) => name).join("\n") !== after!.map(({ name }) => name).join("\n")) return undefined;
  const doubts = after!.slice(1).flatMap(({ name, attackAccuracy: is }, i) => {
    const was = before![i + 1]!.attackAccuracy;
    if (was.low > is.high) return [];
    const rates = `${percentWithInterval(is)} against ${percentWithInterval(was)} without a defense`;
    return is.low > was.high ? `${name} sees more: ${rates}.` : `${name} sees no difference: ${rates}.`;
  });
  return doubts.length === 0 ? undefined : `Other judges do not confirm it. ${doubts.join(" ")}`;
}
