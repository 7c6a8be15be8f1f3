import { beforeAll, describe, expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { IDENTITIES, type TinyWorld, tinyModel, tinyWorld, trainedTarget } from "../../test/support/tiny-world.ts";
import type { StateDict } from "../engine/store.ts";
import { unwatched } from "../engine/work.ts";
import type { Attack } from "./attack.ts";
import { ifGmi } from "./if-gmi.ts";
import { ppa } from "./ppa.ts";
import { runAttack } from "./run-attack.ts";

let world: TinyWorld;
let state: StateDict;

beforeAll(async () => {
  world = await tinyWorld();
  state = await trainedTarget();
});

/** One reconstruction of each of three identities. */
function attacked(attack: Attack, settings: object) {
  const config = attack.config.parse({ iterations: 12, rate: 0.05, batch: 3, pool: 20, ...settings });
  return runAttack({
    attack,
    model: tinyModel(),
    state,
    prior: world.priors.stylegan,
    identities: [0, 1, IDENTITIES - 1],
    perIdentity: 1,
    config,
    seed: 4,
    work: unwatched,
  });
}

/** Their images. */
const found = async (settings: object): Promise<Float32Array> =>
  (await attacked(ifGmi as unknown as Attack, settings)).rows;

const apart = (a: Float32Array, b: Float32Array) => Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));

describe("features before later blocks", () => {
  test("stay what the styles made them where their ball is tiny", async () => {
    const styles = await found({ radii: [20] });
    // Another phase draws other views, but moves nothing.
    const held = await found({ radii: [20, 1e-6, 1e-6], featureIterations: 8 });
    expectAllClose(held, styles, { absolute: 1e-4 });
  });

  test("change the image the more, the wider their ball is", async () => {
    const styles = await found({ radii: [20] });
    const [near, far] = [
      await found({ radii: [20, 2, 2], featureIterations: 8 }),
      await found({ radii: [20, 50, 50], featureIterations: 8 }),
    ];
    expect(apart(near, styles)).toBeGreaterThan(1e-3);
    expect(apart(far, styles)).toBeGreaterThan(2 * apart(near, styles));
  });

  test("are searched before no more blocks than there are", async () => {
    const all = await found({ radii: [20, 5, 5], featureIterations: 4 });
    expect(apart(all, await found({ radii: [20, 5, 5, 5, 5], featureIterations: 4 }))).toBe(0);
  });
});

test.each([
  ["if-gmi", ifGmi as unknown as Attack, { iterations: 2, radii: [20] }],
  ["ppa", ppa as unknown as Attack, { iterations: 2, candidates: 1 }],
])("%s does not look at mirror images that show another class", async (_, attack, settings) => {
  const asked = async (flip?: number) => (await attacked(attack, { ...settings, flip })).queries.images;
  expect(await asked()).toBe(2 * 20 + 2 * 3);
  expect(await asked(0)).toBe(20 + 2 * 3);
});

test("styles stay near the first ones where their ball is tiny", async () => {
  const [held, free] = [await found({ radii: [1e-6] }), await found({ radii: [20] })];
  const first = await found({ radii: [20], iterations: 1, rate: 1e-9 });
  expectAllClose(held, first, { absolute: 1e-4 });
  expect(apart(free, first)).toBeGreaterThan(0.01);
});
