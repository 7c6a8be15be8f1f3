import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { estimateStudy } from "../src/study/estimate.ts";
import type { StudyEvent } from "../src/study/events.ts";
import { runStudy } from "../src/study/pipeline.ts";
import { expectPublishedResults } from "./support/published-results.ts";

const STUDY = `name: estimated
seeds: [1, 2]
data:
  kind: faces
  size: 32
  identities: 3
  train: 4
  validation: 2
  test: 2
  public: { identities: 12, images: 1 }
  pretraining: { kind: faces, classes: 3, images: 4 }
  evaluation: 4
model: { kind: resnet10, width: 4 }
pretraining: { epochs: 30, batch: 4 }
training: { epochs: 30, batch: 4 }
evaluation: { model: { kind: resnet10, width: 6 }, training: { epochs: 30, batch: 4 } }
priors: [{ kind: dcgan, latent: 6, width: 4, steps: 40, critic: 1, batch: 4 }]
defenses: [none]
attacks: [{ kind: gmi, iterations: 30 }]
reconstructions: { perIdentity: 2, pool: 8 }
metrics: [attack-accuracy]
`;

let runsDir = "";
let studyFile = "";
beforeAll(async () => {
  runsDir = await mkdtemp(join(tmpdir(), "estimate-"));
  studyFile = join(runsDir, "estimated.yaml");
  await writeFile(studyFile, STUDY);
});
afterAll(() => rm(runsDir, { recursive: true }));

async function estimate(recordsDir?: string) {
  const events: StudyEvent[] = [];
  const steps = await estimateStudy({
    studyFile,
    runsDir,
    threads: 1,
    ...(recordsDir !== undefined && { recordsDir }),
    signal: new AbortController().signal,
    events: (event) => events.push(event),
  });
  return { steps, rehearsed: events.filter(({ type }) => type === "step-started").length };
}

test("rehearses each step once for all seeds, remembers what it took, and leaves no step behind", async () => {
  const { steps, rehearsed } = await estimate();
  expect(steps.every(({ cost, basis }) => cost!.seconds > 0 && basis === "rehearsed")).toBe(true);
  expect(steps.map(({ name }) => name)).toContain("gmi on none, seed 2");
  for (const { name, cost } of steps)
    if (name.startsWith("gmi")) expect(cost!.queries, "three people, two of each").toBe(30 * 3 * 2);
  // Of the second seed no target, attack and evaluation.
  expect(rehearsed).toBe(steps.length - 3);
  expect((await readdir(runsDir)).includes("steps")).toBe(false);
  expect((await readdir(join(runsDir, "cache"))).filter((name) => name.startsWith("rehearsal"))).toEqual([]);
  const again = await estimate();
  expect(again.rehearsed).toBe(0);
  expect(again.steps).toEqual(steps);
});

test("goes by finished steps where another seed has some", async () => {
  await writeFile(studyFile, STUDY.replace("[1, 2]", "[1]"));
  const recordsDir = join(runsDir, "records");
  const options = { studyFile, runsDir, recordsDir, includePrivate: false, threads: 1, events: () => {} };
  const { result, studyDir } = await runStudy({ ...options, signal: new AbortController().signal });
  await expectPublishedResults(studyDir, result);
  await writeFile(studyFile, STUDY);
  const { steps, rehearsed } = await estimate();
  expect(rehearsed).toBe(0);
  const open = steps.filter(({ state }) => state === "to do");
  expect(open.map(({ name }) => name)).toEqual([
    "target none, seed 2",
    "gmi on none, seed 2",
    "evaluation of gmi on none, seed 2",
  ]);
  for (const { name, cost, basis } of open) {
    expect(basis).toBe("finished");
    const first = steps.find((step) => step.name === name.replace("seed 2", "seed 1"))!;
    expect(first).not.toHaveProperty("cost");
    const [folder] = (await readdir(join(runsDir, "steps"))).filter((file) => file.endsWith(first.id));
    const record = JSON.parse(await readFile(join(runsDir, "steps", folder!, "step.json"), "utf8")) as object;
    expect(record).toMatchObject({ seconds: cost!.seconds });
  }
  const unrecorded = await estimate(recordsDir);
  const left = steps.filter(({ name }) => !name.endsWith("seed 1"));
  expect(unrecorded.steps, "all but the three that the first seed's record rests on alone").toHaveLength(left.length);
  expect(unrecorded.steps).toEqual(expect.arrayContaining(left));
});

test("what asks a target takes as long however the target was trained", async () => {
  await writeFile(studyFile, STUDY.replace("[none]", "[none, midre]"));
  const { steps, rehearsed } = await estimate();
  expect(rehearsed, "of another defense the target's training").toBe(1);
  const open = steps.filter(({ name }) => name.includes("midre"));
  expect(open.map(({ basis }) => basis)).toEqual([
    "rehearsed",
    "finished",
    "finished",
    "rehearsed",
    "finished",
    "finished",
  ]);
});
