import { expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { random } from "../engine/random.ts";
import { dcgan } from "./dcgan.ts";
import { plg } from "./plg.ts";
import { firstWeights } from "./prior.ts";
import { synthesize } from "./synthesize.ts";
import { tacgan } from "./tacgan.ts";
import { withClasses } from "./with-classes.ts";

const SHAPE = { image: [3, 16, 16] as const, classes: 4 };
const SIZE = { latent: 6, width: 4, kernel: 4 } as const;
const FROM = { ...SIZE, from: "dcgan" } as const;
const plain = dcgan.networks(dcgan.config.parse(SIZE), SHAPE);
const start = Object.fromEntries(
  // No gain or bias of a batch norm is one or zero, as after training.
  Object.entries(firstWeights(plain, 3)).map(([name, t]) => [
    name,
    t.shape.length === 1 ? { ...t, data: t.data.map((x, i) => x + 0.1 * (i + 1)) } : t,
  ]),
);

test.each([
  ["plg", plg.networks(plg.config.parse(FROM), SHAPE)],
  ["tacgan", tacgan.networks(tacgan.config.parse(FROM), SHAPE)],
] as const)("%s: every class starts as the prior without classes", async (kind, networks) => {
  const state = withClasses(networks, start, 3);
  const z = random(1, "z").normals(2 * SIZE.latent);
  const from = await synthesize({ kind: "dcgan", networks: plain, state: start }, z);
  for (const labels of [Int32Array.of(0, 1), Int32Array.of(3, 2)])
    expectAllClose(await synthesize({ kind, networks, state }, z, { labels }), from);
  const critic = (of: object) => Object.entries(of).filter(([name]) => name.startsWith("discriminator/"));
  expect(critic(state), "the discriminator is its own").toEqual(critic(firstWeights(networks, 3)));
});

test("a prior of another width is refused by the first weight that does not fit", () => {
  const networks = plg.networks(plg.config.parse({ ...FROM, width: 8 }), SHAPE);
  expect(() => withClasses(networks, start, 3)).toThrow(
    /has its latent, width and kernel: l1\.0\.weight is \[256, 6\] here, \[128, 6\] there/,
  );
});

test("so is one of other kernels", () => {
  const networks = plg.networks(plg.config.parse({ ...FROM, kernel: 5 }), SHAPE);
  expect(() => withClasses(networks, start, 3)).toThrow(/l2_5\.0\.0\.weight is \[8, 4, 5, 5\] here/);
});
