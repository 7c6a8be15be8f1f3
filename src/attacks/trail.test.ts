import { beforeAll, describe, expect, test } from "vitest";
import { IDENTITIES, type TinyWorld, tinyModel, tinyWorld, trainedTarget } from "../../test/support/tiny-world.ts";
import { sizeOf } from "../engine/shape.ts";
import type { StateDict } from "../engine/store.ts";
import { unwatched } from "../engine/work.ts";
import type { Attack } from "./attack.ts";
import { brepMi } from "./brep-mi.ts";
import { gmi } from "./gmi.ts";
import { kedmi } from "./kedmi.ts";
import { miFace } from "./mi-face.ts";
import { runAttack } from "./run-attack.ts";

const model = tinyModel();
let world: TinyWorld;
let state: StateDict;

beforeAll(async () => {
  world = await tinyWorld();
  state = await trainedTarget();
});

const settings = { iterations: 10, batch: 5 };

function attacked(attack: Attack, config: object, trail?: Parameters<typeof runAttack>[0]["trail"]) {
  return runAttack({
    attack,
    model,
    state,
    ...(attack.prior !== null && { prior: world.priors[attack.prior] }),
    identities: [1, 4, 6],
    perIdentity: 2,
    config: attack.config.parse(config),
    seed: 5,
    work: unwatched,
    ...(trail && { trail }),
  });
}

describe.each([
  ["gmi", gmi, { ...settings, candidates: 3 }, 9],
  ["kedmi", kedmi, settings, 3],
  ["mi-face", miFace, settings, 6],
] as const)("the trail of %s", (_kind, attack, config, rows) => {
  test("holds every so many-th iteration's images with their classes, and changes nothing", async () => {
    const seen: { images: Float32Array; labels: number[] }[] = [];
    const found = await attacked(attack as unknown as Attack, config, {
      every: 5,
      async seen(images, labels) {
        seen.push({ images, labels: [...labels] });
      },
    });
    expect(found).toEqual(await attacked(attack as unknown as Attack, config));
    // Iterations 0 and 5 of each batch of at most five rows, in turn.
    const sizes = Array.from({ length: Math.ceil(rows / 5) }, (_, i) => Math.min(5, rows - 5 * i));
    expect(seen.map((s) => s.labels.length)).toEqual(sizes.flatMap((n) => [n, n]));
    for (const { images, labels } of seen) {
      expect(images.length).toBe(labels.length * sizeOf(model.input));
      expect(labels.every((label) => [1, 4, 6].includes(label) && label < IDENTITIES)).toBe(true);
      expect(images.every((x) => Number.isFinite(x))).toBe(true);
    }
    expect(seen[0]!.images).not.toEqual(seen[1]!.images);
  });
});

test("an attack that sees no gradients leaves no trail", async () => {
  let shown = 0;
  await attacked(
    brepMi as unknown as Attack,
    { iterations: 2, samples: 2 },
    {
      every: 1,
      async seen() {
        shown += 1;
      },
    },
  ).catch(() => undefined);
  expect(shown).toBe(0);
});
