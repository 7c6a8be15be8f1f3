import { join } from "node:path";
import { type Handles, openTarget } from "../../attacks/access.ts";
import type { Attack, Reconstructions } from "../../attacks/attack.ts";
import { type Queries, queryMeter } from "../../attacks/queries.ts";
import { runAttack, spaceOf } from "../../attacks/run-attack.ts";
import { selectByLabel, selectInitial } from "../../attacks/selection.ts";
import type { StudyData } from "../../data/dataset.ts";
import { writeNpy } from "../../data/npy.ts";
import type { Defended } from "../../defenses/compose.ts";
import { writeFileAtomic } from "../../engine/atomic-file.ts";
import { seedFor } from "../../engine/random.ts";
import type { PriorNetworks } from "../../priors/prior.ts";
import { asJson } from "../canonical.ts";
import { readState, WEIGHTS } from "../state-file.ts";
import type { Study } from "../study-schema.ts";
import { answersOf } from "./answers.ts";
import { askedIn } from "./asked.ts";
import { type PlannedStep, planStep } from "./planned.ts";
import { previewTrail } from "./preview.ts";
import { trainedPrior } from "./prior.ts";
import type { PublicNetwork } from "./score-map.ts";

/** Rows of an attack step's two floors in its search space; rows stand for `labels` of attack.json, as those of the reconstructions do. */
export const FLOORS = { randomPrior: "random.npy", initialSelection: "selection.npy" } as const;
export const ATTACK_RECORD = "attack.json";

/** The file of reconstructions that are images [n, C, H, W]. */
export const IMAGES_FILE = "images.npy";

/** The file of the reconstructions: latents, or images where the attack has no prior or leaves it. */
export function reconstructionsFile(prior: object | undefined, outcome: Attack["outcome"]): string {
  return prior === undefined || outcome === "images" ? IMAGES_FILE : "latents.npy";
}

/** What attack.json holds. */
export interface AttackRecord {
  readonly schemaVersion: 2;
  readonly attack: string;
  /** The attacked class of each row. */
  readonly labels: readonly number[];
  /**
   * What the attack asked of the target, and what a prior and surrogates that only see labels asked before it; floors, and training
   * by whoever has the weights, do not count.
   */
  readonly queries: Queries;
  /** As `Attack` has it. */
  readonly outcome?: "images";
  /** What the attack has to say of the target. */
  readonly remark?: string;
}

/**
 * One attack on one target, and its two floors: random rows of its search space (samples of the prior; images of independent uniform
 * pixels where it has none), and the best of a pool of such rows without optimisation.
 */
export function attackStep(options: {
  readonly study: Study;
  readonly data: StudyData;
  readonly attack: Attack;
  readonly config: Record<string, unknown>;
  readonly networks?: PriorNetworks;
  readonly defended: Defended;
  /** `gmi on tl-dmi layer3.0`, as the study calls them */
  readonly name: string;
  readonly seed: number;
  readonly target: PlannedStep;
  readonly prior?: PlannedStep;
  /** What the attack wants to be learnt of the target beforehand. */
  readonly surrogates?: PlannedStep;
  /** The public network of its score map, where it has one. */
  readonly embedding?: PublicNetwork;
  /** The weights that targets start from, for an attack that holds them. */
  readonly publicWeights?: PlannedStep;
}): PlannedStep {
  const { study, data, attack, config, networks, defended, name, seed } = options;
  const { target, prior, surrogates, embedding, publicWeights } = options;
  const { model } = defended;
  // An attack that has the weights does not ask.
  const outputs = attack.access === "white-box" ? undefined : defended.outputs;
  const { perIdentity, identities: wanted = model.classes, pool } = study.reconstructions;
  const identities = Array.from({ length: Math.min(wanted, model.classes) }, (_, i) => i);
  // Both may have a pool: the attack's, where it is another, has a name of its own.
  const own = "pool" in config && config.pool !== pool && { startPool: config.pool };
  const spec = {
    kind: "attack",
    version: 2,
    config: asJson({
      ...{ kind: attack.kind, ...config, ...own, perIdentity, identities: identities.length, pool, seed, outputs },
      ...(attack.access === "labels" && { floor: "labels" }),
    }),
    ...(outputs && { data: { validation: data.private.validation.hash } }),
  };
  const needs = {
    target,
    ...(prior && { prior }),
    ...(surrogates && { surrogates }),
    ...(embedding && { embedding: embedding.step }),
    ...(publicWeights && { publicWeights }),
  };
  return planStep(`${name}, seed ${seed}`, spec, needs, async (context, dir) => {
    const state = await readState(join(dir(target), WEIGHTS));
    const given = await trainedPrior(prior, networks, dir);
    const answers = outputs && (await answersOf(defended, state, data, seed));
    const [channels, height, width] = model.input;
    const preview = previewTrail(context.dir, { channels, height, width });
    const { rows, labels, remark, queries } = await runAttack({
      attack,
      model,
      state,
      ...(given && { prior: given }),
      ...(surrogates && { surrogates: await readState(join(dir(surrogates), WEIGHTS)) }),
      ...(embedding && {
        embedding: { model: embedding.model, state: await readState(join(dir(embedding.step), WEIGHTS)) },
      }),
      ...(publicWeights && { publicWeights: await readState(join(dir(publicWeights), WEIGHTS)) }),
      identities,
      perIdentity,
      config,
      seed: seedFor(seed, "attack"),
      work: context,
      trail: preview,
      ...(answers && { answers }),
    });
    await preview.remove();
    const space = spaceOf(attack, model, given, config);
    const floor = { space, identities, perIdentity, pool, seed: seedFor(seed, "floor") };
    const drawn = await space.draw(labels.length, seed, "floor");
    // With what the attack may see: scores rank a pool, labels do not.
    const asked = async <A extends "scores" | "labels">(
      access: A,
      select: (target: Handles[A]) => Promise<Reconstructions>,
    ) => {
      const { target, release } = openTarget(access, model, state, queryMeter(), answers);
      const { rows } = await select(target);
      await release();
      return rows;
    };
    const selected =
      attack.access === "labels"
        ? await asked("labels", (target) => selectByLabel({ ...floor, target }))
        : await asked("scores", (target) => selectInitial({ ...floor, target }));
    await space.release();
    const { outcome } = attack;
    const file = reconstructionsFile(given, outcome);
    const row = given ? [space.width] : model.input;
    const write = (name: string, found: Float32Array, shape: readonly number[]) =>
      writeNpy(join(context.dir, name), found, [labels.length, ...shape]);
    await write(file, rows, file === IMAGES_FILE ? model.input : row);
    await write(FLOORS.randomPrior, drawn, row);
    await write(FLOORS.initialSelection, selected, row);
    const before = await askedIn([prior, surrogates].flatMap((need) => (need === undefined ? [] : [dir(need)])));
    const total = { images: queries.images + before.images, gradients: queries.gradients + before.gradients };
    const record: AttackRecord = {
      schemaVersion: 2,
      attack: attack.kind,
      labels: [...labels],
      queries: total,
      ...(outcome && { outcome }),
      ...(remark && { remark }),
    };
    await writeFileAtomic(join(context.dir, ATTACK_RECORD), `${JSON.stringify(record)}\n`);
  });
}
