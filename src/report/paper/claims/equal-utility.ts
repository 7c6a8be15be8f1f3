import type { Claim } from "../claim.ts";
import { attacksOf, cellsOf, controlsOf, TL_DMI } from "../conditions.ts";
import { LEAKS_LESS, leaksLess } from "../equal-utility.ts";
import type { StudyEvidence } from "../evidence.ts";

const RIVALS = ["mid", "bido-hsic", "bido-coco"] as const;
const MEASURES = ["bido-hsic", "bido-coco"] as const;

/** Attacks of a study that meet undefended targets and targets with each of these defenses. */
function attacksOnAll(study: StudyEvidence, defenses: readonly string[]): string[] {
  return attacksOf(study).filter(
    (attack) =>
      controlsOf(study, attack).length > 0 && defenses.every((defense) => cellsOf(study, attack, [defense]).length > 0),
  );
}

/** Figure 1 IV. */
export const betterThanRivals: Claim = {
  title: "At equal natural accuracy TL-DMI leaks less than MID and BiDO",
  said:
    "The trade-off of attack accuracy against natural accuracy is better than that of MID, BiDO-HSIC and BiDO-COCO (figure 1 IV; the " +
    "introduction defines robustness as that trade-off).",
  test: `TL-DMI against each rival: ${LEAKS_LESS}`,
  questions: (studies) =>
    studies.flatMap((study) =>
      RIVALS.flatMap((rival) =>
        attacksOnAll(study, [TL_DMI, rival]).map((attack) => leaksLess(study, attack, TL_DMI, rival)),
      ),
    ),
};

/** Figure 1 IV, the curve above the others. */
export const withBido: Claim = {
  title: "TL-DMI with BiDO leaks less than either alone",
  said: "TL-DMI with BiDO-HSIC has the best trade-off of all (figure 1 IV).",
  test: `The combination against TL-DMI alone, and against BiDO alone: ${LEAKS_LESS}`,
  questions: (studies) =>
    studies.flatMap((study) =>
      MEASURES.flatMap((measure) => {
        const both = `${TL_DMI} + ${measure}`;
        return [TL_DMI, measure].flatMap((alone) =>
          attacksOnAll(study, [both, alone]).map((attack) => leaksLess(study, attack, both, alone)),
        );
      }),
    ),
};
