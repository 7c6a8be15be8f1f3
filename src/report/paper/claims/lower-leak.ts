import type { Claim } from "../claim.ts";
import { attacksOf } from "../conditions.ts";
import { LOWERS_LEAK, lowersLeak } from "../lowers-leak.ts";

/** Attacks that the main studies run on every target. */
const MAIN: readonly string[] = ["gmi", "kedmi"];

/** Figure 1 IV, and the architectures. */
export const lowerLeak: Claim = {
  title: "TL-DMI leaks less at little cost of natural accuracy, whatever the architecture",
  said:
    "Under GMI and KEDMI a VGG16 with TL-DMI leaks less at slightly lower natural accuracy (figure 1 IV). The same is said of nine " +
    "architectures, vision transformers among them (abstract, introduction).",
  test: `For each model and boundary, under GMI and KEDMI: ${LOWERS_LEAK}`,
  questions: (studies) =>
    studies.flatMap((study) =>
      attacksOf(study)
        .filter((attack) => MAIN.includes(attack))
        .flatMap((attack) => lowersLeak(study, attack, studies)),
    ),
};

/** The other attacks of the paper. */
export const otherAttacks: Claim = {
  title: "It does so under other white-box attacks",
  said: "The defense is effective against PPA, LOMMA, PLG-MI and MIRROR too (project page; twenty set-ups, introduction).",
  test: `For each of the study's other white-box attacks but those that adapt to the defense: ${LOWERS_LEAK}`,
  questions: (studies) =>
    studies.flatMap((study) =>
      attacksOf(study, ({ access }) => access === "white-box")
        .filter((attack) => !MAIN.includes(attack) && !ADAPTIVE.includes(attack))
        .flatMap((attack) => lowersLeak(study, attack, studies)),
    ),
};

/** Attackers who take the defense into account. */
export const ADAPTIVE: readonly string[] = ["align-mi", "knows-prefix", "features-first"];

/** A question that the paper leaves open. */
export const adaptiveAttackers: Claim = {
  title: "It does so against attackers who adapt",
  said:
    "Not in the paper; reviewers asked for it. Peng et al. (NeurIPS 2025) find that gradients averaged over copies of an image (AlignMI) " +
    "nearly double PPA's success on TL-DMI.",
  test: `Under AlignMI, and under an attacker who holds the public start weights: ${LOWERS_LEAK}`,
  questions: (studies) =>
    studies.flatMap((study) =>
      attacksOf(study)
        .filter((attack) => ADAPTIVE.includes(attack))
        .flatMap((attack) => lowersLeak(study, attack, studies)),
    ),
};

/** A question that others have answered with no. */
export const lessAccess: Claim = {
  title: "It does so against attackers who see scores or labels alone",
  said:
    "BREP-MI, a label-only attack, is among the paper's experiments. The paper of Stealthy Shield Defense (ICLR 2025) finds little or no effect of a frozen half " +
    "against LOKT, and a mixed one against other black-box attacks.",
  test: `For each attack that sees scores or labels: ${LOWERS_LEAK}`,
  questions: (studies) =>
    studies.flatMap((study) =>
      attacksOf(study, ({ access }) => access === "scores" || access === "labels").flatMap((attack) =>
        lowersLeak(study, attack, studies),
      ),
    ),
};
