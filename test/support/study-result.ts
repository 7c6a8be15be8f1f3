import { random } from "../../src/engine/random.ts";
import { metrics } from "../../src/metrics/index.ts";
import type {
  AttributeRecovery,
  CellResult,
  IdentityResult,
  JudgesResult,
  Measured,
  StudyResult,
} from "../../src/study/result.ts";

/** A measured rate with an interval of the given half width, kept in [0, 1]. */
export function rate(value: number, half = 0.05, n = 250): Measured {
  return { value, n, low: Math.max(0, value - half), high: Math.min(1, value + half) };
}

/** What a made-up cell may say instead of the usual; the rest is plausible and the same every time. */
export interface CellOverrides extends Partial<CellResult> {
  readonly identityCount?: number;
}

function identitiesOf(count: number, accuracy: number, seed: number, defense: string): readonly IdentityResult[] {
  const rng = random(seed, "identities", defense);
  return Array.from({ length: count }, (_, label) => {
    const hits = Array.from({ length: 5 }, () => rng.uniform() < accuracy * (0.6 + 0.8 * rng.uniform()));
    return {
      identity: `person ${String(label).padStart(2, "0")}`,
      label,
      naturalAccuracy: 0.9 + 0.1 * rng.uniform(),
      attackAccuracy: hits.filter((hit) => hit).length / 5,
      attackAccuracyTop5: Math.min(1, hits.filter((hit) => hit).length / 5 + 0.2),
      knnDistance: 100 + 50 * rng.uniform(),
    };
  });
}

function attributesOf(strength: number): readonly AttributeRecovery[] {
  const category = (name: string, guess: number, real: number): AttributeRecovery => ({
    name,
    kind: "category",
    unit: "accuracy",
    guess: rate(guess, 0.04),
    real: rate(real, 0.02),
    reconstruction: rate(guess + (real - guess) * strength, 0.06),
  });
  const number = (name: string, guess: number, real: number): AttributeRecovery => ({
    name,
    kind: "number",
    unit: "mean absolute error",
    guess: rate(guess, 0.01),
    real: rate(real, 0.005),
    reconstruction: rate(guess + (real - guess) * strength, 0.012),
  });
  return [
    category("hair", 0.21, 0.93),
    category("head shape", 0.3, 0.88),
    category("eyes", 0.12, 0.79),
    number("skin tone", 0.19, 0.03),
    number("mouth position", 0.24, 0.09),
  ];
}

/** A made-up cell. Without overrides: an undefended model that an attack beats well above its floors. */
export function cell(overrides: CellOverrides = {}): CellResult {
  const { identityCount = 10, ...given } = overrides;
  const defense = given.defense ?? "none";
  const seed = given.seed ?? 1;
  const accuracy = given.attackAccuracy?.value ?? 0.71;
  const defended = defense !== "none";
  return {
    schemaVersion: 1,
    defense,
    attack: "kedmi",
    model: "resnet18",
    seed,
    trainableParameters: defended ? 3_913_000 : 11_181_642,
    frozenParameters: defended ? 7_268_642 : 0,
    boundary: defended ? "layer2" : null,
    naturalAccuracy: rate(defended ? 0.928 : 0.94, 0.02, 500),
    attackAccuracy: rate(accuracy),
    attackAccuracyTop5: rate(Math.min(1, accuracy + 0.18)),
    knnDistance: { value: 812.345678, n: 250, low: 790.1, high: 840.9 },
    floors: { randomPrior: rate(0.04, 0.02), initialSelection: rate(0.24, 0.05) },
    queries: { images: 123_456, gradients: 120_000 },
    attributeRecovery: attributesOf(accuracy),
    identities: identitiesOf(identityCount, accuracy, seed, defense),
    evaluationModel: { kind: "vgg16_bn", naturalAccuracy: rate(0.974, 0.01, 500) },
    run: `runs/${defense}-${given.attack ?? "kedmi"}-${seed}`,
    ...given,
  };
}

/**
 * People whose rates have these means: half are easier to find and to recognise than the other half, other ones under defenses whose names
 * have other lengths, so that differences of two targets have a spread. Judges see of them what they do in `judgesOf`.
 */
export function evenPeople(attack: number, natural: number, defense: string): readonly IdentityResult[] {
  const halves = 1 << (defense.length % 4);
  return identitiesOf(48, attack, 0, defense).map((person, label) => {
    const sign = (label & halves) === 0 ? 1 : -1;
    const found = attack + 0.1 * sign;
    return {
      ...person,
      attackAccuracy: found,
      naturalAccuracy: natural + 0.03 * sign,
      judges: { attackAccuracy: [found, 0.8 * found, 0.5 * found], unanimous: 0.45 * found },
    };
  });
}

/** Every metric of a made-up cell; more `strength` in [0, 1] is more leakage. Real images have 1. */
export function metricsOf(strength: number): Readonly<Record<string, Measured>> {
  return Object.fromEntries(
    metrics.map(({ kind, direction, range: [low, high] }) => {
      const share = direction === "higher" ? strength : 1 - strength;
      const [least, span] = [Math.max(low, -1), Number.isFinite(high) ? high - low : 600];
      const value = least + span * (0.1 + 0.8 * share);
      return [kind, { value, n: 250, low: value - 0.04 * span, high: value + 0.04 * span }];
    }),
  );
}

/** What two classifiers and an HTTP judge may say of a cell. */
export function judgesOf(accuracy: number): JudgesResult {
  return {
    judges: [
      { name: "vgg16_bn", naturalAccuracy: rate(0.974, 0.01, 500), attackAccuracy: rate(accuracy) },
      { name: "resnet18", naturalAccuracy: rate(0.961, 0.01, 500), attackAccuracy: rate(0.8 * accuracy) },
      {
        name: "face matcher 2.1",
        realPairs: { same: rate(0.94, 0.03, 50), different: rate(0.96, 0.03, 50) },
        refused: 3,
        attackAccuracy: rate(0.5 * accuracy),
      },
    ],
    agreement: rate(1 - 0.5 * accuracy),
    unanimous: rate(0.45 * accuracy),
    unconfirmed: rate(0.4),
    single: rate(0.3),
  };
}

/** A made-up study of the given cells. */
export function study(cells: readonly CellResult[], overrides: Partial<StudyResult> = {}): StudyResult {
  return {
    schemaVersion: 1,
    name: "made-up study",
    status: "done",
    cells,
    failed: [],
    curves: [],
    notes: [],
    provenance: { node: "v20.20.2", seed: 1 },
    config: "name: made-up study\n",
    timings: [{ step: "target none", seconds: 12.34, reused: false }],
    ...overrides,
  };
}
