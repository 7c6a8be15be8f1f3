import { expect, test } from "vitest";
import { IDENTITIES, IMAGE, tinyModel, tinyWorld, trainedTarget } from "../../test/support/tiny-world.ts";
import { unwatched } from "../engine/work.ts";
import { logitsLayer } from "../models/model.ts";
import { DISCRIMINATOR, GENERATOR, weightsUnder, weightsWithPrefix } from "../priors/prior.ts";
import { openTarget } from "./access.ts";
import { lokt } from "./lokt.ts";
import { queryMeter } from "./queries.ts";
import { labelsOf } from "./selection.ts";
import { searchSpace } from "./space.ts";

test("follows the classes of the prior's discriminator, and asks the target nothing", async () => {
  const world = await tinyWorld();
  const state = await trainedTarget();
  const meter = queryMeter();
  const { target, release } = openTarget("labels", tinyModel(), state, meter);
  const { tacgan } = world.priors;
  // A discriminator that has copied the target without a fault: it is the target.
  const prior = {
    ...tacgan,
    networks: { ...tacgan.networks, discriminator: logitsLayer(tinyModel()), recognise: (logits: never) => logits },
    state: {
      ...weightsWithPrefix(GENERATOR, weightsUnder(GENERATOR, tacgan.state)),
      ...weightsWithPrefix(DISCRIMINATOR, state),
    },
  };
  const space = searchSpace(prior, IMAGE);
  const identities = Array.from({ length: IDENTITIES }, (_, i) => i);
  const { rows, labels } = await lokt.run({
    target,
    prior,
    space,
    identities,
    perIdentity: 2,
    config: lokt.config.parse({
      surrogate: "discriminator",
      iterations: 60,
      rate: 0.3,
      flip: 0,
      pool: 32,
      candidates: 4,
    }),
    seed: 5,
    work: unwatched,
  });
  expect(meter.count()).toEqual({ images: 0, gradients: 0 });
  expect(labels).toEqual(labelsOf(identities, 2));
  const seen = await target.labels(await space.render(rows, labels));
  expect(seen.filter((label, i) => label === labels[i]).length / labels.length).toBeGreaterThan(0.8);
  await space.release();
  await release();
});

test("has no use for a prior whose discriminator tells no classes apart", async () => {
  const { plg } = (await tinyWorld()).priors;
  const labels = () => Promise.reject(new Error("asked"));
  const run = lokt.run({
    target: { classes: IDENTITIES, image: IMAGE, labels },
    prior: plg,
    space: searchSpace(plg, IMAGE),
    identities: [0],
    perIdentity: 1,
    config: lokt.config.parse({ surrogate: "discriminator" }),
    seed: 5,
    work: unwatched,
  });
  await expect(run).rejects.toThrow(/discriminator tells classes apart/);
});
