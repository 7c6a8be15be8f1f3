import { expect, test } from "vitest";
import {
  IDENTITIES,
  IMAGE,
  NETWORKS,
  PRIOR_SETTINGS,
  tinyModel,
  tinyWorld,
  trainedTarget,
} from "../../test/support/tiny-world.ts";
import { unwatched } from "../engine/work.ts";
import { trainTacgan } from "../priors/train-tacgan.ts";
import { openTarget } from "./access.ts";
import { lokt } from "./lokt.ts";
import { queryMeter } from "./queries.ts";
import { labelsOf } from "./selection.ts";
import { searchSpace } from "./space.ts";

test("finds images of its classes through the discriminator of a GAN that was trained from labels alone", async () => {
  const world = await tinyWorld();
  const meter = queryMeter();
  const { target, release } = openTarget("labels", tinyModel(), await trainedTarget(world), meter);
  const settings = { ...PRIOR_SETTINGS.tacgan, steps: 250, critic: 1, flip: 0, rate: 2e-3 };
  const networks = NETWORKS.tacgan;
  const state = await trainTacgan({
    networks,
    images: world.crowd,
    target,
    classes: IDENTITIES,
    settings,
    seed: 3,
    work: unwatched,
  });
  expect(meter.count()).toEqual({ images: 250 * 16, gradients: 0 });

  const prior = { kind: "tacgan", networks, state };
  const space = searchSpace(prior, IMAGE);
  const identities = Array.from({ length: IDENTITIES }, (_, i) => i);
  const asked = meter.count().images;
  const { rows, labels } = await lokt.run({
    target,
    prior,
    space,
    identities,
    perIdentity: 4,
    config: lokt.config.parse({ surrogate: "discriminator", iterations: 60, flip: 0, clamp: 2 }),
    seed: 5,
    work: unwatched,
  });
  expect(meter.count().images, "the search asks the target nothing").toBe(asked);
  expect(labels).toEqual(labelsOf(identities, 4));
  const hits = async (found: Float32Array) => {
    const seen = await target.labels(await space.render(found, labels));
    return seen.filter((label, i) => label === labels[i]).length / labels.length;
  };
  const random = await hits(await space.draw(labels.length, 5, "floor"));
  expect(await hits(rows), "over random latents of the same GAN").toBeGreaterThan(random + 0.2);
  await space.release();
  await release();
});
