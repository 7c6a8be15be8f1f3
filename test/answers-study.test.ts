import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { planStudy, runStudy } from "../src/study/pipeline.ts";
import { expectPublishedResults } from "./support/published-results.ts";
import { smallFaces } from "./support/small-faces.ts";

const STUDY = `name: answers
${smallFaces({ validation: 2, test: 4 })}
model: { kind: resnet10, width: 4 }
pretraining: { epochs: 1, batch: 8 }
training: { epochs: 3, batch: 8 }
evaluation: { model: { kind: resnet10, width: 4 }, training: { epochs: 1, batch: 8 } }
priors:
  - { kind: dcgan, latent: 6, width: 4, steps: 2, critic: 1, batch: 8 }
  - { kind: stylegan, latent: 6, style: 4, mappingLayers: 1, width: 4, maxWidth: 8, steps: 2, batch: 8 }
defenses: [none, top-1, { kind: ssd, budget: 20 }]
attacks:
  - { kind: gmi, iterations: 2 }
  - { kind: brep-mi, iterations: 4, samples: 2, draws: 64 }
  - { kind: c2f, map: { hidden: 8, epochs: 2, batch: 8 }, starts: 4, kept: 3, population: 5, coarse: 2, iterations: 2 }
reconstructions: { perIdentity: 1, pool: 4 }
`;

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "answers-"));
});
afterAll(() => rm(root, { recursive: true }));

test("a defense of answers shares its target, and matters to those who ask: attacks on labels, and natural accuracy", async () => {
  const studyFile = join(root, "answers.yaml");
  await writeFile(studyFile, STUDY);
  const names = (await planStudy({ studyFile, runsDir: root })).map((s) => s.name);
  const count = (name: string) => names.filter((n) => n.startsWith(name)).length;
  const counts = ["target", "gmi on", "brep-mi on", "c2f on", "score map of", "evaluation of"].map(count);
  expect(counts, "what asks, and what is learnt by asking, is done for each").toEqual([1, 1, 3, 3, 3, 9]);

  const { signal } = new AbortController();
  const options = { studyFile, runsDir: root, includePrivate: false, threads: 1, events: () => {}, signal };
  const { result, studyDir } = await runStudy(options);
  expect(result.failed).toEqual([]);
  await expectPublishedResults(studyDir, result);
  const of = (defense: string, attack: string) =>
    result.cells.find((c) => c.defense === defense && c.attack === attack)!;
  for (const attack of ["gmi", "brep-mi"]) {
    const { run: _, defense: __, cost: ___, ...none } = of("none", attack);
    expect(of("top-1", attack), "the likeliest class is what it was").toMatchObject(JSON.parse(JSON.stringify(none)));
  }
  // Sixteen public images for the map; of each person four styles, two that join them, and two generations of five.
  for (const defense of ["none", "top-1", "ssd"])
    expect(of(defense, "c2f").queries).toEqual({ images: 16 + 4 * (4 + 2 + 2 * 5), gradients: 0 });
  expect(of("ssd", "gmi").attackAccuracy).toEqual(of("none", "gmi").attackAccuracy);
  // With a budget without end every answer is the average one of a class drawn from it.
  expect(of("ssd", "gmi").naturalAccuracy.n).toBe(16);
  expect(of("ssd", "gmi").naturalAccuracy).toEqual(of("ssd", "brep-mi").naturalAccuracy);
  expect(of("ssd", "gmi").naturalAccuracy.value).not.toBe(of("none", "gmi").naturalAccuracy.value);
});
