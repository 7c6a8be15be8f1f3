import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readNpy } from "../src/data/npy.ts";
import { writeReport } from "../src/report/index.ts";
import type { StudyEvent } from "../src/study/events.ts";
import { runStudy } from "../src/study/pipeline.ts";
import { expectPublishedResults } from "./support/published-results.ts";
import { smallFaces } from "./support/small-faces.ts";

/** Attacks that leave their search space: one whose settings choose the prior, one that searches among features. */
const STUDY = `name: images
${smallFaces({ validation: 2, test: 2 })}
model: { kind: vgg16_bn, width: 4 }
pretraining: { epochs: 1, batch: 8 }
training: { epochs: 2, batch: 8 }
evaluation: { model: { kind: resnet10, width: 4 }, training: { epochs: 1, batch: 8 } }
priors:
  - { kind: dcgan, latent: 6, width: 4, steps: 2, critic: 1, batch: 8 }
  - { kind: stylegan, latent: 6, style: 4, mappingLayers: 1, width: 4, maxWidth: 8, steps: 2, batch: 8 }
defenses: [none]
attacks:
  - kind: ppdg-mi
    base: { kind: gmi, iterations: 3 }
    pseudoPrivate: 2
    inversionIterations: 3
    tuningIterations: 2
  - { kind: if-gmi, iterations: 3, featureIterations: 2, pool: 4 }
reconstructions: { perIdentity: 1, pool: 2 }
`;

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "images-"));
});
afterAll(() => rm(root, { recursive: true }));

test("what an attack finds outside its search space is kept as images and judged, after an interruption too", async () => {
  const studyFile = join(root, "images.yaml");
  await writeFile(studyFile, STUDY);
  const session = (stop: (event: StudyEvent) => boolean) => {
    const controller = new AbortController();
    const events = (event: StudyEvent) => {
      if (stop(event)) controller.abort();
    };
    const { signal } = controller;
    return runStudy({ studyFile, runsDir: root, includePrivate: false, threads: 1, events, signal });
  };
  // Within the tuning of an identity's generator.
  let tuned = 0;
  const stopped = session(
    (e) => e.type === "step-progress" && e.step.startsWith("ppdg-mi") && e.unit === "steps" && ++tuned === 8,
  );
  await expect(stopped).rejects.toMatchObject({ name: "Interrupted" });
  const { result, studyDir } = await session(() => false);

  expect(result.failed).toEqual([]);
  await expectPublishedResults(studyDir, result);
  expect(result.cells.map(({ attack }) => attack)).toEqual(["ppdg-mi", "if-gmi"]);
  const [tuning, features] = result.cells;
  // Two rounds of GMI, on two reconstructions of each of four and then on one.
  expect(tuning!.queries).toEqual({ images: 3 * 4 * (2 + 1), gradients: 3 * 4 * (2 + 1) });
  // Styles, then the features before three of the four blocks of 32×32.
  expect(features!.queries).toMatchObject({ gradients: (3 + 3 * 2) * 4 });
  for (const { run } of result.cells) {
    const { data, shape } = await readNpy(join(studyDir, run, "artifacts", "images.npy"));
    expect(shape).toEqual([4, 3, 32, 32]);
    const picture = await sharp(join(studyDir, run, "artifacts", "images", "2", "0.png"))
      .removeAlpha()
      .raw()
      .toBuffer();
    const wanted = data.subarray(2 * 3 * 1024, 3 * 3 * 1024);
    for (const at of [0, 500, 1023])
      for (const channel of [0, 1, 2])
        expect(Math.abs(picture[at * 3 + channel]! - 255 * wanted[channel * 1024 + at]!)).toBeLessThanOrEqual(1);
  }
  const report = await readFile(await writeReport(studyDir, { includePrivate: false }), "utf8");
  for (const name of ["ppdg-mi", "if-gmi", "data:image/"]) expect(report).toContain(name);
});
