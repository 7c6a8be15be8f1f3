import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeFrontierChart } from "../src/report/index.ts";
import type { StudyEvent } from "../src/study/events.ts";
import { type FrontierRecord, frontierOfStudy } from "../src/study/frontier.ts";
import { runStudy } from "../src/study/pipeline.ts";
import type { StudyResult } from "../src/study/result.ts";
import { expectPublishedResults } from "./support/published-results.ts";
import { smallFaces } from "./support/small-faces.ts";

const STUDY = `name: frontier
${smallFaces({ validation: 3, test: 2 })}
model: { kind: resnet10, width: 4 }
pretraining: { epochs: 2, batch: 8 }
training: { epochs: 2, batch: 8 }
evaluation: { model: { kind: resnet10, width: 4 }, training: { epochs: 1, batch: 8 } }
priors: [{ kind: dcgan, latent: 6, width: 4, steps: 4, critic: 1, batch: 8 }]
defenses:
  - { kind: tl-dmi, freeze: layer2, probeEpochs: 1 }
  - { kind: tl-dmi, freeze: layer2 }
  - { kind: label-smoothing, alpha: 0.1 }
attacks: [{ kind: gmi, iterations: 6 }]
reconstructions: { perIdentity: 1, pool: 4 }
metrics: [attack-accuracy]
`;

const STAGES = ["stem", "layer1.0", "layer2.0", "layer3.0", "layer4.0"];

let root = "";
let result: StudyResult;
let found: { record: FrontierRecord; studyDir: string; file: string };
let events: StudyEvent[];
let studyDir = "";
let at: { studyFile: string; runsDir: string };
const common = { threads: 1, signal: new AbortController().signal };

/** Steps that were computed, not found. */
const computed = () => events.flatMap((e) => (e.type === "step-started" ? [e.step] : []));
const sweep = () => {
  events = [];
  return frontierOfStudy({ ...at, ...common, events: (event) => events.push(event) });
};

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "frontier-"));
  at = { studyFile: join(root, "frontier.yaml"), runsDir: root };
  await writeFile(at.studyFile, STUDY);
  ({ result, studyDir } = await runStudy({ ...at, ...common, includePrivate: false, events: () => {} }));
  await expectPublishedResults(studyDir, result);
  found = await sweep();
});
afterAll(() => rm(root, { recursive: true }));

test("every boundary is trained and attacked, what the study has done already is not done again", () => {
  const { record } = found;
  expect(record.failed).toEqual([]);
  expect(record.tlDmi).toEqual({ probeEpochs: 1, frozenNorms: "eval" });
  const [frontier] = record.frontiers;
  expect(record.frontiers).toHaveLength(1);
  expect(frontier).toMatchObject({ attack: "gmi", seed: 1, undefended: { label: "none", boundary: null } });
  expect(frontier!.sweep.map(({ boundary }) => boundary)).toEqual(STAGES);
  const sizes = [frontier!.undefended, ...frontier!.sweep].map((point) => point.trainableParameters);
  expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
  expect(new Set(sizes).size).toBe(STAGES.length + 1);
  // The other way to train TL-DMI is a defense of its own.
  expect(frontier!.others.map(({ label }) => label.replace(/ \d+$/, ""))).toEqual([
    "tl-dmi layer2.0",
    "label-smoothing",
  ]);
  const trained = computed().filter((step) => step.startsWith("target "));
  expect(trained.map((step) => step.replace(/, seed 1$/, "")).toSorted()).toEqual(
    ["target none", ...STAGES.filter((s) => s !== "layer2.0").map((s) => `target tl-dmi ${s}`)].toSorted(),
  );
  expect(computed()).not.toContain("evaluation of gmi on label-smoothing, seed 1");
});

test("its points are the study's own numbers", () => {
  const own = result.cells.map(({ boundary, naturalAccuracy, attackAccuracy }) => ({
    boundary,
    naturalAccuracy,
    attackAccuracy,
  }));
  const [{ sweep: points, others }] = found.record.frontiers as [FrontierRecord["frontiers"][0]];
  expect(points.find((p) => p.boundary === "layer2.0")).toMatchObject(own[0]!);
  expect(others).toMatchObject(own.slice(1));
});

test("the choice of Fisher information is marked, from a step of the store", async () => {
  const [frontier] = found.record.frontiers;
  expect(computed().filter((step) => step.startsWith("Fisher information of none"))).toHaveLength(1);
  expect([null, ...STAGES]).toContain(frontier!.auto);
  expect(computed().some((step) => step.startsWith("target tl-dmi auto"))).toBe(false);
});

test("the record is written in the study's folder, and a second time nothing is computed", async () => {
  expect(found.studyDir).toBe(studyDir);
  const written = JSON.parse(await readFile(found.file, "utf8")) as unknown;
  expect(written).toEqual(JSON.parse(JSON.stringify(found.record)));
  const { record } = await sweep();
  expect(record).toEqual(found.record);
  expect(computed()).toEqual([]);
});

test("an interrupted sweep goes on where it stopped", async () => {
  const controller = new AbortController();
  const study = join(root, "other.yaml");
  const combined = "  - { kind: tl-dmi, freeze: auto, with: [{ kind: label-smoothing, alpha: 0.1 }] }\n";
  await writeFile(
    study,
    STUDY.replace("attacks: [{ kind: gmi, iterations: 6", `${combined}attacks: [{ kind: gmi, iterations: 7`),
  );
  const run = (signal: AbortSignal, told: (e: StudyEvent) => void) =>
    frontierOfStudy({ ...at, threads: 1, studyFile: study, signal, events: told });
  await expect(
    run(controller.signal, (e) => {
      if (e.type === "cell-finished") controller.abort();
    }),
  ).rejects.toMatchObject({ name: "Interrupted" });
  events = [];
  const { record } = await run(common.signal, (e) => events.push(e));
  expect(record.failed).toEqual([]);
  // A combination at the boundary that is left open stands where Fisher information puts it.
  const [{ auto, others }] = record.frontiers as [FrontierRecord["frontiers"][0]];
  expect(others.at(-1)).toMatchObject({ label: "tl-dmi auto + label-smoothing", boundary: auto });
  expect(STAGES).toContain(auto);
  const trained = computed().filter((step) => step.startsWith("target"));
  expect(trained).toEqual(["target tl-dmi auto + label-smoothing, seed 1"]);
  expect(computed()).not.toContain("evaluation of gmi on none, seed 1");
});

test("cells that fail are told, and without the undefended model there is no frontier", async () => {
  const study = join(root, "absurd.yaml");
  await writeFile(
    study,
    STUDY.replace("\ntraining: { epochs: 2,", "\ntraining: { rate: 1e38, weightDecay: 1, epochs: 2,"),
  );
  const told: StudyEvent[] = [];
  const { record } = await frontierOfStudy({ ...at, ...common, studyFile: study, events: (e) => told.push(e) });
  expect(record.frontiers).toEqual([]);
  expect(record.failed.map(({ defense }) => defense)).toEqual(
    expect.arrayContaining(["none", "tl-dmi stem", "tl-dmi auto", "label-smoothing"]),
  );
  for (const { message } of record.failed) expect(message).toMatch(/lower learning rate/);
  expect(told.at(-1)).toEqual({ type: "study-finished", study: "frontier", status: "partial" });
});

test("the figure shows every target, names the boundaries and needs no style sheet", async () => {
  const [frontier] = found.record.frontiers;
  const chosen = { ...found.record, frontiers: [{ ...frontier!, auto: "stem", best: "layer2.0" }] };
  const svg = await readFile(await writeFrontierChart(join(root, "drawn"), chosen), "utf8");
  for (const stage of STAGES) expect(svg).toContain(`>${stage}</text>`);
  expect(svg).toContain(">label-smoothing</text>");
  expect(svg.match(/<title>/g)).toHaveLength(1 + STAGES.length + 2);
  expect(svg.match(/stroke-dasharray="3 3"/g)).toHaveLength(1);
  expect(svg).toContain("Fisher information chose stem (ring), best is layer2.0 (dashed ring)");
  expect(svg).not.toContain("var(--");
});
