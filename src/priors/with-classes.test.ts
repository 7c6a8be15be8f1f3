import { expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { random } from "../engine/random.ts";
import { plg } from "./plg.ts";
import { firstWeights } from "./prior.ts";
import { sngan } from "./sngan.ts";
import { synthesize } from "./synthesize.ts";
import { tacgan } from "./tacgan.ts";
import { withClasses } from "./with-classes.ts";

const SHAPE = { image: [3, 16, 16] as const, classes: 4 };
const SIZE = { latent: 6, width: 4 };
const plain = sngan.networks(sngan.config.parse(SIZE), SHAPE);
const start = Object.fromEntries(
  // No gain or bias of a batch norm is one or zero, as after training.
  Object.entries(firstWeights(plain, 3)).map(([name, t]) => [
    name,
    /\.b\d\.(weight|bias)$/.test(name) ? { ...t, data: t.data.map((x, i) => x + 0.1 * (i + 1)) } : t,
  ]),
);

test.each([
  ["plg", plg.networks(plg.config.parse(SIZE), SHAPE)],
  ["tacgan", tacgan.networks(tacgan.config.parse(SIZE), SHAPE)],
] as const)("%s: every class starts as the GAN without classes", async (kind, networks) => {
  const state = withClasses(networks, start, 3);
  const z = random(1, "z").normals(2 * SIZE.latent);
  const from = await synthesize({ kind: "sngan", networks: plain, state: start }, z);
  for (const labels of [Int32Array.of(0, 1), Int32Array.of(3, 2)])
    expectAllClose(await synthesize({ kind, networks, state }, z, { labels }), from);
  const trunk = Object.keys(start).filter((name) => name.startsWith("discriminator/block"));
  expect(trunk.length).toBeGreaterThan(10);
  for (const name of trunk) expect(state[name]).toEqual(start[name]);
});

test("a GAN of another width is refused by the first weight that does not fit", () => {
  const networks = plg.networks(plg.config.parse({ ...SIZE, width: 8 }), SHAPE);
  expect(() => withClasses(networks, start, 3)).toThrow(
    /has its latent and width: l1\.weight is \[512, 6\] here, \[256, 6\] there/,
  );
});
