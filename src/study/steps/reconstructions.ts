import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type StyleSpace, searchSpace } from "../../attacks/space.ts";
import { readNpy } from "../../data/npy.ts";
import type { Model } from "../../models/model.ts";
import type { PriorNetworks } from "../../priors/prior.ts";
import { ATTACK_RECORD, type AttackRecord, IMAGES_FILE, reconstructionsFile } from "./attack.ts";
import type { PlannedStep } from "./planned.ts";
import { trainedPrior } from "./prior.ts";

/** An attack whose outcome is looked at: the step that ran it, and what it searched in. */
export interface AttackedCell {
  /** Of the prior that the attack searched in; absent where it searched among images themselves. */
  readonly networks?: PriorNetworks;
  /** The styles that the attack searched among, where it did not search among latents. */
  readonly styles?: StyleSpace;
  readonly model: Model;
  readonly attack: PlannedStep;
  readonly prior?: PlannedStep;
}

/** What an attack found, as images. */
export interface Reconstructions {
  readonly record: AttackRecord;
  /** The attacked class of each. */
  readonly labels: Int32Array;
  /** n × C·H·W, values in [0, 1]. */
  readonly images: Float32Array;
  /** Images of another file of the attack's folder, with rows for the same labels. */
  render(file: string): Promise<Float32Array>;
  release(): Promise<void>;
}

/** Renders what an attack step found. */
export async function openReconstructions(
  { networks, styles, model, attack, prior }: AttackedCell,
  dir: (need: PlannedStep) => string,
): Promise<Reconstructions> {
  const record = JSON.parse(await readFile(join(dir(attack), ATTACK_RECORD), "utf8")) as AttackRecord;
  const labels = Int32Array.from(record.labels);
  const space = searchSpace(await trainedPrior(prior, networks, dir), model.input, styles);
  const render = async (file: string) => {
    const { data } = await readNpy(join(dir(attack), file));
    return file === IMAGES_FILE ? data : space.render(data, labels);
  };
  const images = await render(reconstructionsFile(prior, record.outcome));
  return { record, labels, images, render, release: () => space.release() };
}
