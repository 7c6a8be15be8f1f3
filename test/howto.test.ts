import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTarget } from "../src/attacks/access.ts";
import type { Attack } from "../src/attacks/attack.ts";
import { queryMeter } from "../src/attacks/queries.ts";
import { runAttack } from "../src/attacks/run-attack.ts";
import { labelsOf, selectInitial } from "../src/attacks/selection.ts";
import { searchSpace } from "../src/attacks/space.ts";
import type { StateDict } from "../src/engine/store.ts";
import { unwatched } from "../src/engine/work.ts";
import { hits } from "../src/metrics/top-k.ts";
import type { Model } from "../src/models/model.ts";
import { classifierPredictor } from "../src/models/predict.ts";
import type { Prior } from "../src/priors/prior.ts";
import { runWithInterruptions } from "./support/memory-work.ts";
import { sameBits } from "./support/same-bits.ts";
import { IDENTITIES, IMAGE, tinyModel, tinyWorld, trainedTarget, trainTiny } from "./support/tiny-world.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

/** What the page's code exports. */
interface Page {
  readonly hillClimb: Attack;
  recover(model: Model, state: StateDict, prior: Prior, identities: readonly number[]): ReturnType<typeof runAttack>;
}

let scratch = "";
let page: Page;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "howto-"));
  const text = await readFile(join(root, "docs/howto/own-attack.md"), "utf8");
  const [, code] = /^```ts own attack\n([\s\S]*?)^```$/m.exec(text)!;
  // The package's subpaths lie in src/api; a folder elsewhere has no node_modules.
  const placed = code!
    .replaceAll(/from "tl-dmi\/([a-z]+)"/g, (_, name) => `from "${join(root, "src/api", `${name}.ts`)}"`)
    .replace('from "zod"', `from "${join(root, "node_modules/zod/index.js")}"`);
  const file = join(scratch, "own-attack.ts");
  await writeFile(file, placed);
  page = (await import(pathToFileURL(file).href)) as Page;
});
afterAll(() => rm(scratch, { recursive: true }));

test("the attack in docs/howto/own-attack.md finds identities that neither random latents nor the best of its pool show", async () => {
  const world = await tinyWorld();
  const prior = world.priors.dcgan;
  const state = await trainedTarget();
  const identities = Array.from({ length: IDENTITIES }, (_, i) => i);
  const found = await page.recover(tinyModel(), state, prior, identities);
  const labels = labelsOf(identities, 5);
  expect(found.labels).toEqual(labels);
  // The first pool, where it starts, and one question a row and iteration.
  expect(found.queries).toEqual({ images: 1000 + labels.length * 301, gradients: 0 });

  const judge = tinyModel("evaluation");
  const seen = await classifierPredictor(judge, await trainTiny(judge, world.evaluation, 2));
  const space = searchSpace(prior, IMAGE);
  const accuracy = async (rows: Float32Array) => {
    const { logits } = await seen.predict(await space.render(rows, labels), labels.length);
    return hits(logits, labels, IDENTITIES, 1).reduce((sum, hit) => sum + hit, 0) / labels.length;
  };
  const { target, release } = openTarget("scores", tinyModel(), state, queryMeter());
  const pool = await selectInitial({ target, space, identities, perIdentity: 5, pool: 1000, seed: 1 });
  const reached = await accuracy(found.rows);
  expect(reached).toBeGreaterThan((await accuracy(await space.draw(labels.length, 5, "floor"))) + 0.4);
  expect(reached).toBeGreaterThan((await accuracy(pool.rows)) + 0.2);
  await Promise.all([release(), seen.release(), space.release()]);
});

test("interrupted and resumed, it ends with the same latents", async () => {
  const prior = (await tinyWorld()).priors.dcgan;
  const state = await trainedTarget();
  const { hillClimb: attack } = page;
  const config = attack.config.parse({ iterations: 25, pool: 20 });
  const common = { attack, model: tinyModel(), state, prior, identities: [0, 1], perIdentity: 2, config, seed: 4 };
  const whole = await runAttack({ ...common, work: unwatched });
  const resumed = await runWithInterruptions([7, 9], (work) => runAttack({ ...common, work }));
  expect(sameBits(resumed.result.rows, whole.rows)).toBe(true);
});
