import type { Claim } from "./claim.ts";
import { attributes } from "./claims/attributes.ts";
import { betterThanRivals, withBido } from "./claims/equal-utility.ts";
import { fewerParameters } from "./claims/fewer-parameters.ts";
import { earlyForInversion, lateForTheTask } from "./claims/fisher-pattern.ts";
import { adaptiveAttackers, lessAccess, lowerLeak, otherAttacks } from "./claims/lower-leak.ts";
import { pretrainingDistance } from "./claims/pretraining-distance.ts";
import { secondJudge } from "./claims/second-judge.ts";

export { beyondReach } from "./beyond-reach.ts";
export { readEvidence } from "./evidence.ts";
export { paperPage } from "./page.ts";

/** The paper's claims (Ho et al., CVPR 2024), then the questions that it leaves open. */
export const claims: readonly Claim[] = [
  lowerLeak,
  betterThanRivals,
  withBido,
  fewerParameters,
  earlyForInversion,
  lateForTheTask,
  otherAttacks,
  lessAccess,
  adaptiveAttackers,
  secondJudge,
  attributes,
  pretrainingDistance,
];
