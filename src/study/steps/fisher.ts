import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Attack } from "../../attacks/attack.ts";
import { type IdentityLossKind, identityLossRows } from "../../attacks/identity-loss.ts";
import { runAttack } from "../../attacks/run-attack.ts";
import type { StudyData } from "../../data/dataset.ts";
import { writeFileAtomic } from "../../engine/atomic-file.ts";
import { UserError } from "../../engine/errors.ts";
import { seedFor } from "../../engine/random.ts";
import type { StateDict } from "../../engine/store.ts";
import type { Work } from "../../engine/work.ts";
import { type RecommendedBoundary, recommendBoundary } from "../../fisher/boundary.ts";
import { classificationFisher, type FisherLabels } from "../../fisher/classification.ts";
import { type FisherForm, fisherMeter, type LayerFisher } from "../../fisher/fisher.ts";
import type { Model } from "../../models/model.ts";
import type { Prior, PriorNetworks } from "../../priors/prior.ts";
import { asJson } from "../canonical.ts";
import { readState, WEIGHTS } from "../state-file.ts";
import { type PlannedStep, planStep } from "./planned.ts";
import { trainedPrior } from "./prior.ts";

/** Name of the analysis in a Fisher step's folder. */
export const FISHER_FILE = "fisher.json";

/** How the information is estimated. */
export interface FisherSettings {
  readonly form: FisherForm;
  /** Of the classification task; the inversion task's labels are the attacked identities. */
  readonly labels: FisherLabels;
  /** The first so many identities are attacked, one reconstruction each. */
  readonly identities: number;
  /** Iterations of the attack at which its images are looked at, evenly spaced from the first one on. */
  readonly points: number;
}

/** A layer in the two tasks. */
export interface FisherLayer extends Omit<LayerFisher, "fisher"> {
  readonly classification: number;
  readonly inversion: number;
}

/** What `fisher.json` holds. */
export interface FisherRecord extends RecommendedBoundary {
  readonly schemaVersion: 1;
  /** `tl-dmi layer2.0` */
  readonly target: string;
  readonly attack: string;
  readonly settings: FisherSettings;
  /** Images that each task's numbers rest on. */
  readonly images: { readonly classification: number; readonly inversion: number };
  readonly layers: readonly FisherLayer[];
}

/** What a Fisher analysis is of. */
export interface FisherOptions {
  readonly data: StudyData;
  readonly model: Model;
  readonly label: string;
  readonly seed: number;
  readonly settings: FisherSettings;
  readonly attack: Attack;
  readonly config: Record<string, unknown>;
  readonly networks?: PriorNetworks;
  readonly target: PlannedStep;
  readonly prior?: PlannedStep;
  readonly surrogates?: PlannedStep;
  /** The weights that targets start from, for an attack that holds them. */
  readonly publicWeights?: PlannedStep;
}

/**
 * Fisher information of a target in the classification task (private validation images) and in the inversion task (the identity loss
 * at images that an attack passes through), and the boundary that follows from both. Interrupted, it begins anew.
 */
export function fisherStep(options: FisherOptions): PlannedStep {
  const { data, label, seed, settings, attack, config, networks, target, prior, surrogates, publicWeights } = options;
  const spec = {
    kind: "fisher",
    version: 2,
    config: asJson({ ...settings, attack: { kind: attack.kind, ...config }, seed }),
    data: { validation: data.private.validation.hash },
  };
  const needs = {
    target,
    ...(prior && { prior }),
    ...(surrogates && { surrogates }),
    ...(publicWeights && { publicWeights }),
  };
  return planStep(
    `Fisher information of ${label} under ${attack.kind}, seed ${seed}`,
    spec,
    needs,
    async (context, dir) => {
      const state = await readState(join(dir(target), WEIGHTS));
      const given = await trainedPrior(prior, networks, dir);
      const learnt = surrogates && (await readState(join(dir(surrogates), WEIGHTS)));
      const published = publicWeights && (await readState(join(dir(publicWeights), WEIGHTS)));
      const record = await analyse(options, { state, prior: given, learnt, published }, context);
      await writeFileAtomic(join(context.dir, FISHER_FILE), `${JSON.stringify(record, undefined, 2)}\n`);
    },
  );
}

/** The analysis in a finished Fisher step's folder. */
export async function readFisher(dir: string): Promise<FisherRecord> {
  return JSON.parse(await readFile(join(dir, FISHER_FILE), "utf8")) as FisherRecord;
}

/** The boundary that a finished Fisher step recommends. @throws UserError where it recommends none. */
export async function readBoundary(dir: string): Promise<string> {
  const { boundary, target } = await readFisher(dir);
  if (boundary !== null) return boundary;
  throw new UserError(
    `freeze: auto finds no boundary, since ${target} has no Fisher information for inversion; name a stage instead`,
    4,
  );
}

/** What the steps before gave: the target's weights, what the attack searches in, what it learnt of the target beforehand, and the public weights. */
interface Given {
  readonly state: StateDict;
  readonly prior: Prior | undefined;
  readonly learnt: StateDict | undefined;
  readonly published: StateDict | undefined;
}

async function analyse(options: FisherOptions, given: Given, work: Work): Promise<FisherRecord> {
  const { data, model, label, seed, settings, attack } = options;
  const { form, labels } = settings;
  const images = data.private.validation;
  const { signal } = work;
  const estimate = { model, state: given.state, form, seed: seedFor(seed, "fisher") };
  const classification = await classificationFisher({ ...estimate, images, labels, signal });
  const passed = await inversionFisher(options, given, work);
  const layers = classification.map(({ fisher, ...layer }, i) => ({
    ...layer,
    classification: fisher,
    inversion: passed.layers[i]!.fisher,
  }));
  return {
    schemaVersion: 1,
    target: label,
    attack: attack.kind,
    settings,
    images: { classification: images.size, inversion: passed.images },
    layers,
    ...recommendBoundary(classification, passed.layers),
  };
}

/** Runs the attack anew and takes the information of the images that it shows the target. */
async function inversionFisher(
  { model, seed, settings, attack, config, label }: FisherOptions,
  { state, prior, learnt, published }: Given,
  work: Work,
): Promise<{ readonly layers: readonly LayerFisher[]; readonly images: number }> {
  const kind = config.identityLoss as IdentityLossKind | undefined;
  const meter = await fisherMeter({
    model,
    state,
    form: settings.form,
    ...(kind && { loss: (logits, wanted) => identityLossRows(kind, logits, wanted) }),
  });
  try {
    await runAttack({
      attack,
      model,
      state,
      ...(prior && { prior }),
      ...(learnt && { surrogates: learnt }),
      ...(published && { publicWeights: published }),
      identities: Array.from({ length: Math.min(settings.identities, model.classes) }, (_, i) => i),
      perIdentity: 1,
      config,
      seed: seedFor(seed, "attack"),
      // A checkpoint would not hold what the meter has taken in.
      work: {
        signal: work.signal,
        progress: (at) => work.progress(at),
        ...(work.rehearsal && { rehearsal: work.rehearsal }),
        log: (row) => work.log(row),
        saveCheckpoint: async () => {},
        loadCheckpoint: async () => undefined,
      },
      trail: {
        every: Math.max(1, Math.floor(Number(config.iterations ?? 1) / settings.points)),
        seen: (images, labels) => meter.add(images, labels),
      },
    });
    const images = meter.count();
    if (images === 0) {
      throw new UserError(
        `${attack.kind} on ${label}: an attack of access ${attack.access} shows no gradient of the inversion task; take a white-box attack`,
      );
    }
    return { layers: meter.layers(), images };
  } finally {
    await meter.release();
  }
}
