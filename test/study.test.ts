import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../src/engine/errors.ts";
import { metrics } from "../src/metrics/index.ts";
import { mean } from "../src/metrics/mean.ts";
import { writeReport } from "../src/report/index.ts";
import type { StudyEvent } from "../src/study/events.ts";
import { planStudy, runStudy } from "../src/study/pipeline.ts";
import type { StudyResult } from "../src/study/result.ts";
import { expectPublishedResults } from "./support/published-results.ts";

/** Every part of a study at its smallest: drawn faces, attributes, a probe, two defenses, seven attacks. */
const STUDY = `name: tiny
seeds: [1]
data:
  kind: faces
  size: 32
  identities: 4
  family: 2
  train: 6
  validation: 2
  test: 3
  public: { identities: 16, images: 2 }
  pretraining: { kind: faces, classes: 5, images: 5 }
  evaluation: 6
  attributes: { identities: 8, images: 2 }
model: { kind: resnet10, width: 4 }
pretraining: { epochs: 2, batch: 8 }
training: { epochs: 2, batch: 8 }
linearProbe: true
evaluation: { model: { kind: resnet18, width: 4 }, training: { epochs: 2, batch: 8 } }
secondOpinions: [{ model: { kind: resnet10, width: 4 }, training: { epochs: 2, batch: 8 } }]
student: { model: { kind: resnet10, width: 4 }, training: { epochs: 1, batch: 8 } }
attributes: { model: { kind: resnet10, width: 4 }, training: { epochs: 2, batch: 8 } }
priors:
  - { kind: dcgan, latent: 6, width: 4, steps: 4, critic: 1, batch: 8, average: 0.5 }
  - { kind: kedmi, latent: 6, width: 4, steps: 3, critic: 1, batch: 8, kernels: 2, kernelRows: 2 }
  - { kind: plg, latent: 6, width: 4, steps: 2, critic: 1, batch: 8, top: 4 }
  - { kind: stylegan, latent: 6, style: 4, mappingLayers: 1, width: 4, maxWidth: 8, steps: 2, batch: 8 }
  - { kind: tacgan, latent: 6, width: 4, unconditional: 1, steps: 3, critic: 2, batch: 8 }
defenses:
  - none
  - { kind: tl-dmi, freeze: layer2, probeEpochs: 1 }
attacks:
  - { kind: gmi, iterations: 20, batch: 5 }
  - { kind: kedmi, iterations: 20, pool: 8, featureWeight: 1, students: { models: [{ kind: resnet10, width: 4 }], training: { epochs: 1 } } }
  - { kind: plg-mi, iterations: 20 }
  - { kind: ppa, iterations: 20, pool: 8, candidates: 3, views: 2 }
  - { kind: mi-face, iterations: 20 }
  - { kind: brep-mi, iterations: 20, samples: 4, radius: 9, draws: 256 }
  - { kind: lokt, iterations: 20, ensemble: { models: [{ kind: resnet10, width: 4 }], perClass: 4, training: { epochs: 1, batch: 8 } } }
reconstructions: { perIdentity: 2, pool: 8 }
gate: { max: { attack.top1: 1 }, min: { natural: 0 }, defenses: [tl-dmi], allowWeakAttack: true }
`;

let root = "";
let cache = "";

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "study-"));
  cache = join(root, "cache");
  await mkdir(cache);
});
afterAll(() => rm(root, { recursive: true }));

/** A study file in a folder of its own; drawn images are shared by all. */
async function place(name: string, yaml: string): Promise<{ studyFile: string; runsDir: string }> {
  const runsDir = join(root, name);
  await mkdir(runsDir);
  await symlink(cache, join(runsDir, "cache"));
  const studyFile = join(runsDir, "tiny.yaml");
  await writeFile(studyFile, yaml);
  return { studyFile, runsDir };
}

interface Session {
  readonly result: StudyResult;
  readonly studyDir: string;
  readonly events: readonly StudyEvent[];
}

/** @param stop told of each event; the study is interrupted where it says true. */
async function run(
  at: { studyFile: string; runsDir: string },
  stop: (event: StudyEvent) => boolean = () => false,
): Promise<Session> {
  const controller = new AbortController();
  const events: StudyEvent[] = [];
  const ran = await runStudy({
    ...at,
    includePrivate: false,
    threads: 1,
    signal: controller.signal,
    events(event) {
      events.push(event);
      if (stop(event)) controller.abort();
    },
  });
  return { ...ran, events };
}

const json = async (path: string) => JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;

/** Everything that a study computed: all but paths, machine and times. */
const computed = ({ cells, failed, curves, notes, status }: StudyResult) => ({
  cells: cells.map(({ cost: _, ...cell }) => cell),
  failed,
  curves,
  notes,
  status,
});

const reconstructions = (session: Session) =>
  Promise.all(
    session.result.cells.map(({ run: folder, attack }) => {
      const file = attack === "mi-face" ? "images.npy" : "latents.npy";
      return readFile(join(session.studyDir, folder, "artifacts", file));
    }),
  );

describe("a study", () => {
  let at: { studyFile: string; runsDir: string };
  let unbroken: Session;
  const pictured = new Set<string>();

  beforeAll(async () => {
    at = await place("unbroken", STUDY);
    const planned = await planStudy(at);
    expect(new Set(planned.map((s) => s.state))).toEqual(new Set(["to do"]));
    unbroken = await run(at, (event) => {
      const picture =
        event.type === "step-progress" && join(at.runsDir, "steps", `${event.id}.part/preview/latest.png`);
      if (picture && existsSync(picture)) pictured.add(event.step);
      return false;
    });
  });

  test("tells its grid before it begins, and keeps pictures of white-box attacks while they work, not longer", async () => {
    const [started] = unbroken.events.filter((event) => event.type === "study-started");
    const { cells } = unbroken.result;
    expect(started?.grid?.map(({ cell }) => `cells/${cell}`)).toEqual(cells.map(({ run: folder }) => folder));
    const told = unbroken.events.flatMap((event) => (event.type === "cell-finished" ? [event.cell] : []));
    expect(told).toEqual(started?.grid?.map(({ cell }) => cell));
    const white = cells.filter(({ attack }) => attack !== "brep-mi" && attack !== "lokt");
    expect(pictured.size).toBe(white.length);
    const steps = await readdir(join(at.runsDir, "steps"), { recursive: true });
    expect(steps.filter((path) => path.includes("preview"))).toEqual([]);
  });

  test("measures every defense against every attack", async () => {
    const { result, studyDir } = unbroken;
    expect(result.failed).toEqual([]);
    expect(result.status).toBe("done");
    expect(result.cells.map((c) => `${c.defense} ${c.attack}`)).toEqual([
      "none gmi",
      "none kedmi",
      "none plg-mi",
      "none ppa",
      "none mi-face",
      "none brep-mi",
      "none lokt",
      "tl-dmi gmi",
      "tl-dmi kedmi",
      "tl-dmi plg-mi",
      "tl-dmi ppa",
      "tl-dmi mi-face",
      "tl-dmi brep-mi",
      "tl-dmi lokt",
    ]);
    for (const cell of result.cells) {
      const rates = [cell.naturalAccuracy, cell.attackAccuracy, cell.attackAccuracyTop5, ...Object.values(cell.floors)];
      for (const { value, low, high, n } of rates) {
        expect(low).toBeLessThanOrEqual(value);
        expect(value).toBeLessThanOrEqual(high);
        expect(n).toBeGreaterThan(0);
      }
      expect(cell.attackAccuracy.n).toBe(4 * 2);
      expect(cell.naturalAccuracy.n).toBe(4 * 3);
      expect(cell.knnDistance.value).toBeGreaterThan(0);
      if (cell.attack === "brep-mi") {
        expect(cell.queries!.gradients).toBe(0);
        expect(cell.queries!.images, "the draws, and the spheres around what they found").toBeGreaterThan(256);
      } else if (cell.attack === "lokt") {
        // The fakes of two steps of the GAN, twice eight each, and four images of each class.
        expect(cell.queries).toEqual({ images: 2 * 2 * 8 + 4 * 4, gradients: 0 });
      } else {
        // An identity, a reconstruction, two views of it, a candidate.
        const each = { kedmi: 4, "plg-mi": 2 * 4 * 2, ppa: 4 * 3 }[cell.attack] ?? 4 * 2;
        // A pool; one that is mirrored, and two views of each candidate at the end.
        const asked = { kedmi: 8, ppa: 2 * 8 + 2 * 4 * 3 }[cell.attack] ?? 0;
        expect(cell.queries).toEqual({ images: 20 * each + asked, gradients: 20 * each });
      }
      expect(cell.cost!.seconds).toBeGreaterThan(0);
      expect(cell.cost!.peakMemory).toBeGreaterThan(1e7);
      expect(cell.identities.map((i) => i.label)).toEqual([0, 1, 2, 3]);
      expect(cell.attributeRecovery.length).toBeGreaterThan(3);
      expect(cell.evaluationModel).toMatchObject({ kind: "resnet18", naturalAccuracy: { n: 12 } });
      // Two reconstructions an identity are too few for third neighbours among them.
      const measurable = metrics.filter(({ kind }) => kind !== "recall");
      expect(Object.keys(cell.metrics!)).toEqual(measurable.map(({ kind }) => kind));
      for (const kind of ["natural-accuracy", "knowledge-extraction"]) expect(cell.realImages).not.toHaveProperty(kind);
      expect(Object.keys(cell.realImages!)).toHaveLength(measurable.length - 2);
      expect(cell.judges!.judges).toMatchObject([
        { name: "resnet18", naturalAccuracy: cell.evaluationModel.naturalAccuracy },
        { name: "resnet10", naturalAccuracy: { n: 12 } },
      ]);
      expect(cell.judges!.judges[0]!.attackAccuracy).toMatchObject({ value: cell.attackAccuracy.value, n: 8 });
      expect(cell.judges!.agreement.n).toBe(8);
      const people = cell.identities.map((person) => ({ ...person.judges!, first: person.attackAccuracy }));
      for (const { attackAccuracy, first } of people) expect(attackAccuracy[0]).toBe(first);
      const shares = people.map(({ unanimous }) => unanimous);
      expect(mean(shares), "each person has as many reconstructions").toBeCloseTo(cell.judges!.unanimous.value);
      expect(await json(join(studyDir, cell.run, "result.json"))).toEqual(JSON.parse(JSON.stringify(cell)));
      expect(await json(join(studyDir, cell.run, "run.json"))).toMatchObject({ status: "COMPLETED", seed: 1 });
      for (const [label, k] of [
        [0, 0],
        [3, 1],
      ])
        await stat(join(studyDir, cell.run, `artifacts/images/${label}/${k}.png`));
    }
    await expectPublishedResults(studyDir, result);
    const [none] = result.cells;
    const defended = result.cells.find((c) => c.defense === "tl-dmi");
    expect(none).toMatchObject({ boundary: null, frozenParameters: 0 });
    expect(defended!.boundary).toBe("layer2.0");
    expect(defended!.trainableParameters + defended!.frozenParameters).toBe(none!.trainableParameters);
    expect(await json(join(studyDir, "study.json"))).toEqual(JSON.parse(JSON.stringify(result)));
    expect(await json(join(studyDir, "run.json"))).toMatchObject({ status: "COMPLETED", kind: "study" });
  });

  test("has a curve of everything that was trained and a note on the probe", () => {
    const { curves, notes } = unbroken.result;
    const names = curves.map((c) => c.name);
    for (const part of [
      "target none",
      "target tl-dmi",
      "public prior",
      "inversion GAN kedmi",
      "inversion GAN plg",
      "students of none",
      "gmi on none",
      "kedmi on none",
      "plg-mi on none",
      "ppa on none",
      "mi-face on none",
      "brep-mi on none",
      "inversion GAN tacgan",
      "surrogates of none",
      "lokt on none",
    ])
      expect(
        names.filter((n) => n.includes(part)),
        part,
      ).not.toEqual([]);
    for (const { series } of curves)
      for (const { points } of series) expect(points.flat().every(Number.isFinite)).toBe(true);
    expect(notes.join(" ")).toMatch(/linear probe/);
  });

  test("does nothing a second time", async () => {
    const again = await run(at);
    expect(again.events.filter((e) => e.type === "step-started")).toEqual([]);
    expect(again.result.timings.every((t) => t.reused)).toBe(true);
    expect(computed(again.result)).toEqual(computed(unbroken.result));
    expect((await planStudy(at)).every((s) => s.state === "done")).toBe(true);
  });

  test("is judged by its gate; another gate is another judgement of the same study", async () => {
    const of = ({ gate }: StudyResult) =>
      gate!.checks.map(({ defense, attack, demand }) => `${defense} ${attack} ${demand}`);
    const { result, studyDir } = unbroken;
    expect(result.gate?.passed).toBe(true);
    expect(of(result)).toHaveLength(7 * 3);
    expect(of(result)[1]).toBe("tl-dmi gmi natural ≥ 0");
    const bases = new Set(result.cells.map(({ basis }) => JSON.stringify(basis)));
    expect([...bases]).toEqual([
      expect.stringMatching(/"train":"[^"]+","test":"[^"]+","evaluationModel":"[0-9a-f]{16}"/),
    ]);
    await writeFile(at.studyFile, STUDY.replace("natural: 0", "natural: 1"));
    const stricter = await run(at);
    await writeFile(at.studyFile, STUDY);
    expect(stricter.studyDir).toBe(studyDir);
    expect(stricter.events.filter((e) => e.type === "step-started")).toEqual([]);
    expect(stricter.result.gate?.passed).toBe(false);
  });

  test("can be read in a report", async () => {
    const html = await readFile(await writeReport(unbroken.studyDir, { includePrivate: false }), "utf8");
    expect(html).toContain("tl-dmi");
    expect(html).toContain("data:image/");
  });

  test("ends with the same numbers and latents however often it is interrupted", async () => {
    const broken = await place("broken", STUDY);
    const within = (step: RegExp, done: number) => (e: StudyEvent) =>
      e.type === "step-progress" && step.test(e.step) && e.done >= done;
    const once = (step: RegExp) => (e: StudyEvent) =>
      e.type === "step-finished" && step.test(e.step) && e.source === "run";
    const stops = [
      within(/^start weights/, 2),
      within(/^target none/, 5),
      within(/^public prior/, 2),
      within(/^gmi on none/, 13),
      within(/^evaluation model/, 3),
      within(/^attribute model/, 1),
      once(/^student of gmi on none/),
      once(/^evaluation of gmi on none/),
      within(/^inversion GAN kedmi against none/, 1),
      within(/^students of none/, 1),
      within(/^kedmi on none/, 7),
      within(/^public prior stylegan/, 1),
      within(/^target tl-dmi/, 2),
      once(/^kedmi on tl-dmi/),
      within(/^inversion GAN plg against tl-dmi/, 1),
      within(/^ppa on tl-dmi/, 7),
      within(/^mi-face on tl-dmi/, 9),
      within(/^brep-mi on tl-dmi/, 9),
      within(/^inversion GAN tacgan against tl-dmi/, 2),
      within(/^surrogates of tl-dmi/, 1),
      within(/^lokt on tl-dmi/, 7),
    ];
    for (const [i, stop] of stops.entries()) {
      const stopped = run(broken, stop);
      await expect(stopped, `interruption ${i + 1}`).rejects.toMatchObject({ name: "Interrupted" });
    }
    const resumed = await run(broken);
    expect(computed(resumed.result)).toEqual(computed(unbroken.result));
    expect(await reconstructions(resumed)).toEqual(await reconstructions(unbroken));
    expect(await json(join(resumed.studyDir, "run.json"))).toMatchObject({ attempts: stops.length + 1 });
  });

  test("reports a cell whose target diverges as failed, and goes on with the others", async () => {
    // At this rate a whole network leaves the numbers; a head alone, on frozen features, does not. What lies between the target and its
    // attack: nothing, a GAN and students, surrogates. What targets do not change is taken from the first study.
    const absurd = STUDY.replace(/ {2}- \{ kind: (plg|stylegan|plg-mi|ppa|mi-face|brep-mi),.*\n/g, "")
      .replace(
        "\ntraining: { epochs: 2, batch: 8 }",
        "\ntraining: { epochs: 2, batch: 8, rate: 1.0e+15, weightDecay: 0 }",
      )
      .replace("freeze: layer2, probeEpochs: 1", "freeze: layer4")
      .replace("name: tiny", "name: absurd");
    const studyFile = join(at.runsDir, "absurd.yaml");
    await writeFile(studyFile, absurd);
    const { result, studyDir } = await run({ ...at, studyFile });
    expect(result.status).toBe("partial");
    expect(result.failed.map((f) => `${f.defense} ${f.attack}`)).toEqual(["none gmi", "none kedmi", "none lokt"]);
    for (const { message } of result.failed)
      expect(message).toMatch(/target: the loss is .* at step \d+; a lower learning rate/);
    expect(result.cells.map((c) => `${c.defense} ${c.attack}`)).toEqual(["tl-dmi gmi", "tl-dmi kedmi", "tl-dmi lokt"]);
    const html = await readFile(await writeReport(studyDir, { includePrivate: false }), "utf8");
    expect(html).toContain("a lower learning rate");
  });
});

test("defenses of one target are planned as one, under their names together", async () => {
  const together = STUDY.replace("probeEpochs: 1", "with: [mid, { kind: label-smoothing, alpha: -0.1 }]").replace(
    ", defenses: [tl-dmi]",
    "",
  );
  const steps = await planStudy(await place("together", together));
  const targets = steps.flatMap(({ name }) => (name.startsWith("target") ? [name] : []));
  expect(targets).toContain("target tl-dmi layer2.0 + mid + label-smoothing, seed 1");
});

test.each([
  ["an unknown key", "seeds: [1]", "sedes: [1]", /tiny\.yaml:2:1 +sedes +unknown key "sedes"; did you mean "seeds"\?/],
  ["an unknown key of a defense", "freeze: layer2", "freez: layer2", /tiny\.yaml:\d+:\d+ +defenses\[1\]\.freez /],
  [
    "an unknown key of a defense within another",
    "probeEpochs: 1",
    "with: [{ kind: label-smoothing, alpa: 0.1 }]",
    /tiny\.yaml:\d+:\d+ +defenses\[1\]\.with\[0\]\.alpa +unknown key "alpa"; did you mean "alpha"\?/,
  ],
  [
    "a second opinion that is the first",
    "[{ model: { kind: resnet10, width: 4 }, training",
    "[{ model: { kind: resnet18, width: 4 }, training",
    /secondOpinions\[0\]: is the evaluation model itself/,
  ],
  [
    "private images sent to another machine unasked",
    "linearProbe: true",
    "httpJudge: { name: them, endpoint: 'https://judge.example/ask' }",
    /tiny\.yaml:\d+:\d+ +httpJudge\.endpoint +private images would be sent to another machine \(judge\.example\)/,
  ],
  [
    "a gate on a defense that is not there",
    "defenses: [tl-dmi]",
    "defenses: [tldmi]",
    /gate: no cell has the defense "tldmi"; did you/,
  ],
  ["defenses that cannot be combined", "probeEpochs: 1", "with: [none]", /tl-dmi and none cannot be combined/],
  ["a boundary that the model lacks", "freeze: layer2", "freeze: layer9", /no stage "layer9"/],
  ["a size that faces cannot have", "size: 32", "size: 33", /tiny\.yaml:5:9/],
])("%s is refused before anything is computed", async (name, from, to, message) => {
  const at = await place(name.replaceAll(" ", "-"), STUDY.replace(from, to));
  const refused = await run(at).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(UserError);
  expect(refused).toMatchObject({ exitCode: 2, message: expect.stringMatching(message) });
  await expect(stat(join(at.runsDir, "steps"))).rejects.toThrow();
});
