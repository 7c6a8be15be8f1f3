import type { Claim } from "../claim.ts";
import { TL_DMI } from "../conditions.ts";
import { comparedIn, LEAKS_LESS, leaksLess, type Pair } from "../equal-utility.ts";

/** TL-DMI, and what it is held against. */
export const RIVALS: readonly Pair[] = ["mid", "bido-hsic", "bido-coco"].map((rival) => [TL_DMI, rival]);

/** TL-DMI with BiDO, and each of the two alone. */
export const PARTS: readonly Pair[] = ["bido-hsic", "bido-coco"].flatMap((measure) =>
  [TL_DMI, measure].map((alone): Pair => [`${TL_DMI} + ${measure}`, alone]),
);

/** Figure 1 IV. */
export const betterThanRivals: Claim = {
  title: "At equal natural accuracy TL-DMI leaks less than MID and BiDO",
  said:
    "The trade-off of attack accuracy against natural accuracy is better than that of MID, BiDO-HSIC and BiDO-COCO (figure 1 IV; the " +
    "introduction defines robustness as that trade-off).",
  test: `TL-DMI against each rival, by the evaluation model: ${LEAKS_LESS}`,
  questions: (studies) => studies.flatMap((study) => comparedIn(study, RIVALS).map(leaksLess)),
};

/** Figure 1 IV, the curve above the others. */
export const withBido: Claim = {
  title: "TL-DMI with BiDO leaks less than either alone",
  said: "TL-DMI with BiDO-HSIC has the best trade-off of all (figure 1 IV).",
  test: `The combination against TL-DMI alone, and against BiDO alone, by the evaluation model: ${LEAKS_LESS}`,
  questions: (studies) => studies.flatMap((study) => comparedIn(study, PARTS).map(leaksLess)),
};
