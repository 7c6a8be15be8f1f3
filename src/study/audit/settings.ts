import type { Access } from "../../attacks/access.ts";
import { type Attack, readsPublicWeights } from "../../attacks/attack.ts";
import { attacks } from "../../attacks/index.ts";
import type { LeftOut } from "./budget.ts";

/** The keys of a member of a list, as a study file has them. */
export type Keys = Readonly<{ kind: string } & Record<string, unknown>>;

const STEADY = { width: 32, kernel: 4, critic: 1, batch: 32 } as const;

// What is not named here takes its quick preset: GMI's and KEDMI's are what the quickstart recovers people with.

/** The keys of priors that have other ones than their papers'. */
export const priorSettings: readonly Keys[] = [
  { kind: "dcgan", ...STEADY, steps: 9000, criticRate: 4e-4, penaltyBatch: 16, average: 0.998 },
  { kind: "kedmi", ...STEADY, steps: 70, entropy: 1e-4, kernels: 16, kernelRows: 16 },
];

const SHORT_ATTACKS: readonly Keys[] = [{ kind: "brep-mi", iterations: 400, patience: 80, draws: 20_000 }];

/** An attack's keys in an audit's study file. */
export const attackSettings = (kind: string): Keys =>
  SHORT_ATTACKS.find((keys) => keys.kind === kind) ?? { kind, preset: "quick" };

/** What an attacker of each access can do: whoever has more access can also ask for less. */
const WITHIN: Readonly<Record<Access, readonly Access[]>> = {
  "white-box": ["white-box", "scores", "labels"],
  scores: ["scores", "labels"],
  labels: ["labels"],
};

/** Left out of what an audit picks by itself, since its failure would say nothing (FEATURES.md). */
const NOT_PICKED: readonly LeftOut[] = [
  {
    attack: "mi-face",
    reason:
      "searches pixels without a prior, where of a deep model nothing is found; --attacks mi-face runs it all the same",
  },
];

/** The attacks that an attacker of that access can run, and an audit does not pick by itself. */
export function notPicked(access: Access): readonly LeftOut[] {
  return NOT_PICKED.filter(({ attack }) =>
    attacks.some(({ kind, access: needed }) => kind === attack && WITHIN[access].includes(needed)),
  );
}

/** From the attack that gives most for its time; those that are not named follow in the list's order. */
const FIRST = ["gmi", "kedmi", "brep-mi"];

/** The attacks that an attacker of that access can run, in the order in which an audit wants them. */
export function candidateAttacks(access: Access): readonly string[] {
  const possible = attacks
    .filter(
      (attack) => WITHIN[access].includes(attack.access) && !NOT_PICKED.some((left) => left.attack === attack.kind),
    )
    .map((attack) => attack.kind as string);
  return [...FIRST.filter((kind) => possible.includes(kind)), ...possible.filter((kind) => !FIRST.includes(kind))];
}

/** Those of the list that read the public weights which targets start from: what a trained model started from, its file does not say. */
export function withoutPublicWeights(kinds: readonly string[]): readonly LeftOut[] {
  return (attacks as readonly Attack[])
    .filter((attack) => kinds.includes(attack.kind) && readsPublicWeights(attack))
    .map(({ kind }) => ({
      attack: kind,
      reason:
        "reads the public weights that the model started from, and these are not known; a study takes them as pretraining.weights, beside target.weights",
    }));
}

/** Whether the list has an attack of that kind. */
export const isAttack = (kind: string): boolean => attacks.some((attack) => attack.kind === kind);

/** Attacks of the list that need more access than that. */
export function beyondAccess(kinds: readonly string[], access: Access): readonly string[] {
  return attacks
    .filter((attack) => kinds.includes(attack.kind) && !WITHIN[access].includes(attack.access))
    .map((attack) => attack.kind);
}

/** Steps that a judge or a target is trained for, however few its images are. */
const TRAINING_STEPS = 1500;
const BATCH = 32;

/** How classifiers are trained here, as the quickstart trains them: augmented, so that they know people in soft pictures too. */
export function trainingSettings(images: number, size: number, rate: number): Record<string, unknown> {
  const perEpoch = Math.ceil(images / BATCH);
  return {
    epochs: Math.min(60, Math.max(8, Math.ceil(TRAINING_STEPS / perEpoch))),
    batch: BATCH,
    rate,
    weightDecay: 5e-4,
    augment: { flip: 0.5, crop: Math.round(size / 16), brightness: 0.2, contrast: 0.4, blur: 2.5 },
  };
}

/** A judge of another architecture than the target's. */
export function judgeFor(architecture: string | undefined): Keys {
  return architecture?.startsWith("vgg") ? { kind: "resnet18", width: 32 } : { kind: "vgg16_bn", width: 16 };
}

/** What an audit measures: everything but what compares picture with picture, which takes as long as all else together. */
export const AUDIT_METRICS = [
  "natural-accuracy",
  "attack-accuracy",
  "attack-accuracy-top5",
  "evaluation-confidence",
  "knn-distance",
  "fid",
];
