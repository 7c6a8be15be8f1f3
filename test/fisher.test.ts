import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../src/engine/errors.ts";
import { writeFisherChart } from "../src/report/index.ts";
import type { StudyEvent } from "../src/study/events.ts";
import { fisherOfRun } from "../src/study/fisher.ts";
import { planStudy, runStudy } from "../src/study/pipeline.ts";
import type { StudyResult } from "../src/study/result.ts";
import { expectPublishedResults } from "./support/published-results.ts";
import { smallFaces } from "./support/small-faces.ts";

const STUDY = `name: fisher
${smallFaces({ validation: 3, test: 2 })}
model: { kind: resnet10, width: 4 }
pretraining: { epochs: 2, batch: 8 }
training: { epochs: 2, batch: 8 }
evaluation: { model: { kind: resnet10, width: 4 }, training: { epochs: 1, batch: 8 } }
priors: [{ kind: dcgan, latent: 6, width: 4, steps: 4, critic: 1, batch: 8 }]
defenses: [none, { kind: tl-dmi, freeze: auto, with: [{ kind: label-smoothing, alpha: 0.1 }] }]
attacks:
  - { kind: gmi, iterations: 12 }
  - { kind: gmi, iterations: 4, featureWeight: 1 }
  - { kind: brep-mi, iterations: 2, samples: 2, draws: 64 }
reconstructions: { perIdentity: 1, pool: 4 }
`;

let root = "";
let studyDir = "";
let result: StudyResult;
const common = { threads: 1, signal: new AbortController().signal };
const settings = { form: "per-example", labels: "empirical", identities: 3, points: 4 } as const;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "fisher-"));
  const studyFile = join(root, "fisher.yaml");
  await writeFile(studyFile, STUDY);
  const planned = await planStudy({ studyFile, runsDir: root });
  const names = planned.map((s) => s.name);
  const at = (name: string) => names.findIndex((n) => n.startsWith(name));
  expect(at("Fisher information of none under gmi"), "the analysis comes before its target").toBeLessThan(
    at("target tl-dmi auto"),
  );
  expect(at("Fisher information of none under gmi")).toBeGreaterThan(at("target none"));
  ({ result, studyDir } = await runStudy({
    studyFile,
    runsDir: root,
    includePrivate: false,
    events: () => {},
    ...common,
  }));
});
afterAll(() => rm(root, { recursive: true }));

const json = async (path: string) => JSON.parse(await readFile(path, "utf8")) as Record<string, never>;
const runOf = (defense: RegExp, attack: string) =>
  join(studyDir, result.cells.find((c) => defense.test(c.defense) && c.attack === attack)!.run);

test("freeze: auto trains the target behind the boundary that the Fisher step recommends", async () => {
  expect(result.failed).toEqual([]);
  await expectPublishedResults(studyDir, result);
  const run = runOf(/^tl-dmi/, "gmi");
  const cell = result.cells.find((c) => c.defense.startsWith("tl-dmi"))!;
  const { steps } = await json(join(run, "run.json"));
  const fisher = await json(join(run, steps!["boundary" as never], "fisher.json"));
  expect(fisher).toMatchObject({ target: "none", attack: "gmi", boundary: cell.boundary });
  expect(["stem", "layer1.0", "layer2.0", "layer3.0", "layer4.0"]).toContain(cell.boundary);
  expect(await json(join(run, "artifacts/model.json"))).toMatchObject({ boundary: cell.boundary });
  const whole = result.cells.find((c) => c.defense === "none")!.trainableParameters;
  expect(cell.frozenParameters).toBeGreaterThan(0);
  expect(cell.trainableParameters + cell.frozenParameters).toBe(whole);
});

describe("the analysis of a run", () => {
  const analyse = (run: string, change: object = {}) =>
    fisherOfRun({ run, ...settings, ...common, events: () => {}, ...change });

  test("gives every layer in both tasks, writes them, and is not done twice", async () => {
    const run = runOf(/^none/, "gmi");
    const { record, file } = await analyse(run);
    expect(await json(file)).toEqual(JSON.parse(JSON.stringify(record)));
    expect(record.images).toEqual({ classification: 4 * 3, inversion: 3 * 4 });
    expect(record.layers.map((l) => l.layer)).toEqual(expect.arrayContaining(["conv1", "layer4.0.conv2", "fc"]));
    for (const { classification, inversion, layer } of record.layers) {
      expect(classification, layer).toBeGreaterThan(0);
      expect(inversion, layer).toBeGreaterThan(0);
    }
    expect(record.stages.map((s) => s.stage)).toEqual(["stem", "layer1.0", "layer2.0", "layer3.0", "layer4.0"]);
    expect(record.stages.at(-1)!.frozen.inversion).toBeCloseTo(1, 9);

    const events: string[] = [];
    const again = await analyse(run, { events: (e: { type: string }) => events.push(e.type) });
    expect(again.record).toEqual(record);
    expect(events).not.toContain("step-started");

    const svg = await readFile(await writeFisherChart(run, record), "utf8");
    expect(svg.match(/<rect[^>]*><title>/g) ?? svg.match(/<rect/g)).toHaveLength(
      2 * record.layers.filter((l) => l.kernel).length,
    );
    expect(svg).toContain("layer4.0.conv2");
    expect(svg).not.toContain("var(--");
  });

  test("of a run whose folder lies apart from its steps reuses these, and another folder of runs where one is named", async () => {
    const apart = join(root, "apart", "study");
    const place = { studyFile: join(root, "fisher.yaml"), runsDir: root, studyDir: apart };
    await runStudy({ ...place, includePrivate: false, events: () => {}, ...common });
    const own = join("cells", basename(runOf(/^none/, "gmi")));
    const started: string[] = [];
    const events = (event: StudyEvent) => event.type === "step-started" && started.push(event.step);
    const { record } = await analyse(join(apart, own), { events });
    expect(record).toEqual((await analyse(runOf(/^none/, "gmi"), { events })).record);
    // Moved alone, it no longer knows where its steps lie.
    const moved = join(root, "moved", "deep", "study");
    await mkdir(dirname(moved), { recursive: true });
    await rename(apart, moved);
    expect((await analyse(join(moved, own), { runsDir: root, events })).record).toEqual(record);
    expect(started.filter((name) => !name.startsWith("Fisher"))).toEqual([]);
    expect(await readdir(join(root, "apart"))).toEqual([]);
    expect(await readdir(join(root, "moved", "deep"))).toEqual(["study"]);
  });

  test("in the released code's form is smaller, and true labels give other numbers for classification alone", async () => {
    const run = runOf(/^none/, "gmi");
    const { record } = await analyse(run);
    const batches = (await analyse(run, { form: "batch-mean" })).record;
    const drawn = (await analyse(run, { labels: "true" })).record;
    for (const [i, { classification, inversion, layer }] of record.layers.entries()) {
      expect(batches.layers[i]!.classification, layer).toBeLessThan(classification);
      expect(drawn.layers[i]!.classification, layer).not.toBe(classification);
      expect(drawn.layers[i]!.inversion, layer).toBe(inversion);
    }
  });

  test("under an attack that rests on what was learnt of the target beforehand", async () => {
    const run = result.cells.find(({ run }) => run.includes("none-gmi-2"))!.run;
    const { record } = await analyse(join(studyDir, run));
    expect(record.images.inversion).toBeGreaterThan(0);
    for (const { inversion, layer } of record.layers) expect(inversion, layer).toBeGreaterThan(0);
  });

  test("of what is no cell of a white-box attack is refused with what would be right", async () => {
    for (const [run, message] of [
      [studyDir, /folder of a whole study; name that of a cell/],
      [root, /no run folder/],
      [runOf(/^none/, "brep-mi"), /brep-mi sees only labels of the target.* white-box/],
    ] as const) {
      const refused = await analyse(run).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(UserError);
      expect(refused).toMatchObject({ message: expect.stringMatching(message) });
    }
    const other = join(root, "other.yaml");
    await writeFile(other, STUDY.replace("[none, ", "["));
    await expect(analyse(runOf(/^none/, "gmi"), { studyFile: other })).rejects.toThrow(
      /has no cell none-gmi-seed1; it has/,
    );
  });
});
