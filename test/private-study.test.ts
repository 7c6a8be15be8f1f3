import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { privacySpent } from "../src/defenses/rdp.ts";
import { runStudy } from "../src/study/pipeline.ts";
import { expectPublishedResults } from "./support/published-results.ts";
import { smallFaces } from "./support/small-faces.ts";

const STUDY = `name: private
${smallFaces({ validation: 2, test: 2 })}
model: { kind: vgg16_bn, width: 4 }
pretraining: { epochs: 1, batch: 8 }
training: { epochs: 2, batch: 8 }
evaluation: { model: { kind: resnet10, width: 4 }, training: { epochs: 1, batch: 8 } }
priors: [{ kind: dcgan, latent: 6, width: 4, steps: 2, critic: 1, batch: 8 }]
defenses: [{ kind: dp-sgd, noiseMultiplier: 1.5, delta: 1.0e-3, microbatch: 4 }]
attacks: [{ kind: gmi, iterations: 2 }]
reconstructions: { perIdentity: 1, pool: 2 }
`;

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "private-"));
});
afterAll(() => rm(root, { recursive: true }));

test("a study with dp-sgd states its guarantee in the target's record, in the result and in a note", async () => {
  const studyFile = join(root, "private.yaml");
  await writeFile(studyFile, STUDY);
  const { signal } = new AbortController();
  const options = { studyFile, runsDir: root, includePrivate: false, threads: 1, events: () => {}, signal };
  const { result, studyDir } = await runStudy(options);
  expect(result.failed).toEqual([]);
  await expectPublishedResults(studyDir, result);
  const [cell] = result.cells;
  // 24 images in samples of 8 expected: three steps an epoch.
  const mechanism = { noiseMultiplier: 1.5, sampleRate: 8 / 24, steps: 6 };
  expect(cell!.privacy).toEqual({ ...mechanism, clip: 1, ...privacySpent(mechanism, 1e-3) });
  const json = async (...path: string[]) => JSON.parse(await readFile(join(studyDir, cell!.run, ...path), "utf8"));
  const { steps } = await json("run.json");
  expect(await json(steps.target, "privacy.json")).toEqual(cell!.privacy);
  const spent = `(ε = ${cell!.privacy!.epsilon.toFixed(2)}, δ = 0.001)`;
  expect(result.notes.filter((note) => note.includes(spent))).toHaveLength(1);
});
