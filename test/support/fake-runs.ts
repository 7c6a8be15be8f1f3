import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { writePng } from "../../src/data/image-file.ts";
import { random } from "../../src/engine/random.ts";
import type { StudyEvent } from "../../src/study/events.ts";
import type { FisherRecord } from "../../src/study/fisher.ts";
import type { CellResult } from "../../src/study/result.ts";
import type { RunRecord } from "../../src/study/run-record.ts";
import { PREVIEW, PREVIEW_FILES } from "../../src/study/steps/preview.ts";
import { expectPublished } from "./published-results.ts";
import { cell, rate, study } from "./study-result.ts";

const MINUTE = 60_000;
const iso = (time: number) => new Date(time).toISOString();

/** A made-up run's record: finished an hour ago. */
export function record(overrides: Partial<RunRecord> = {}): RunRecord {
  const ended = Date.now() - 60 * MINUTE;
  return {
    schemaVersion: 1,
    kind: "study",
    name: "made-up",
    status: "COMPLETED",
    started: iso(ended - 9 * MINUTE),
    heartbeat: iso(ended),
    ended: iso(ended),
    attempts: 1,
    versions: { package: "0.1.0", node: "20.20.2", onnxruntime: "1.30.0" },
    machine: { cores: 2 },
    ...overrides,
  };
}

const json = (path: string, value: unknown) => writeFile(path, `${JSON.stringify(value)}\n`);

/** Writes a run folder's record, with the folder. */
export async function writeRecord(dir: string, overrides: Partial<RunRecord> = {}): Promise<void> {
  await mkdir(dir, { recursive: true });
  await json(join(dir, "run.json"), record(overrides));
}

/** Writes the records of so many studies with so many cells each. */
export async function writeManyRuns(runs: string, studies: number, cells: number): Promise<void> {
  for (let study = 0; study < studies; study++) {
    const dir = join(runs, `study-${study}`);
    await writeRecord(dir, { name: `study ${study}` });
    for (let cell = 0; cell < cells; cell++)
      await writeRecord(join(dir, "cells", `cell-${cell}`), { kind: "cell", name: `cell ${cell}` });
  }
}

/** A face-like blot, so that pictures can be told apart by eye. */
async function blot(path: string, seed: number, sharpness: number): Promise<void> {
  const side = 32;
  const rng = random(seed, "blot");
  const [x0, y0, hue] = [12 + 8 * rng.uniform(), 12 + 8 * rng.uniform(), rng.uniform()];
  const image = new Float32Array(3 * side * side);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const far = Math.hypot(x - x0, y - y0) / 11;
      for (let c = 0; c < 3; c++)
        image[(c * side + y) * side + x] =
          Math.exp(-far * far) * (0.5 + 0.5 * Math.sin(6 * hue + 2 * c)) + (1 - sharpness) * rng.uniform() * 0.6;
    }
  await writePng(path, image, { channels: 3, height: side, width: side });
}

/** A made-up cell's folder: record, result, pictures of each identity, one private image each, and a Fisher analysis where asked for. */
export async function writeCell(
  studyDir: string,
  name: string,
  result: CellResult,
  options: { readonly fisher?: boolean } = {},
): Promise<void> {
  const dir = join(studyDir, "cells", name);
  await writeRecord(dir, { kind: "cell", name, study: "../..", seed: result.seed });
  const written = { ...result, run: `cells/${name}` };
  await expectPublished(written, name);
  await json(join(dir, "result.json"), written);
  for (const { label } of result.identities) {
    const folder = join(dir, "artifacts", "images", String(label));
    await mkdir(folder, { recursive: true });
    for (const k of [0, 1]) await blot(join(folder, `${k}.png`), label, result.attackAccuracy.value - 0.1 * k);
    await mkdir(join(dir, "artifacts", "private"), { recursive: true });
    await blot(join(dir, "artifacts", "private", `${label}.png`), label, 1);
  }
  if (options.fisher) {
    await mkdir(join(dir, "report"));
    await json(join(dir, "report", "fisher.json"), fisher(result.defense));
  }
}

function fisher(target: string): FisherRecord {
  const layers = ["stem.conv", "layer1.conv", "layer2.conv", "fc"].map((layer, i) => ({
    layer,
    stage: layer === "fc" ? null : layer.split(".")[0]!,
    kernel: true,
    parameters: 100,
    classification: 0.1 + i,
    inversion: 4 - i,
  }));
  const stages = layers.slice(0, 3).map(({ stage, classification, inversion }, i) => ({
    stage: stage ?? "",
    classification,
    inversion,
    frozen: { classification: (i + 1) / 6, inversion: (i + 1) / 4 },
  }));
  return {
    schemaVersion: 1,
    target,
    attack: "gmi",
    settings: { form: "per-example", labels: "empirical", identities: 4, points: 3 },
    images: { classification: 10, inversion: 12 },
    layers,
    stages,
    boundary: "layer1",
  };
}

const GRID = [
  { cell: "none-gmi-seed1", defense: "none", attack: "gmi", seed: 1 },
  { cell: "none-kedmi-seed1", defense: "none", attack: "kedmi", seed: 1 },
  { cell: "tl-dmi-layer3.0-gmi-seed1", defense: "tl-dmi layer3.0", attack: "gmi", seed: 1 },
  { cell: "tl-dmi-layer3.0-kedmi-seed1", defense: "tl-dmi layer3.0", attack: "kedmi", seed: 1 },
];

/** A finished study: two defenses under two attacks. */
export async function writeFinishedStudy(runs: string, id: string): Promise<void> {
  const dir = join(runs, id);
  await writeRecord(dir, { name: id });
  await writeFile(join(dir, "config.yaml"), stringify({ name: id }));
  const results = GRID.map(({ attack, defense }, i) =>
    cell({
      attack,
      defense: defense.split(" ")[0]!,
      identityCount: 14,
      attackAccuracy: rate([0.72, 0.66, 0.42, 0.45][i]!),
      basis: { train: "a", test: "b", evaluationModel: "c" },
    }),
  );
  for (const [i, result] of results.entries()) await writeCell(dir, GRID[i]!.cell, result, { fisher: i === 2 });
  const curves = ["target none", "target tl-dmi"].map((name) => ({
    name,
    seed: 1,
    xLabel: "epoch" as const,
    series: [
      { name: "loss", points: Array.from({ length: 12 }, (_, x) => [x, Math.exp(-x / 4)] as const) },
      {
        name: "accuracy, validation",
        points: Array.from({ length: 12 }, (_, x) => [x, 1 - Math.exp(-x / 3)] as const),
      },
    ],
  }));
  await json(
    join(dir, "study.json"),
    study(results, { name: id, curves, notes: ["Drawn faces say nothing of photographs."] }),
  );
  await writeFile(
    join(dir, "events.jsonl"),
    lines([{ type: "study-started", study: id, cells: 4, steps: 9, grid: GRID }]),
  );
}

function lines(events: readonly StudyEvent[], from = Date.now()): string {
  return events.map((event, i) => `${JSON.stringify({ time: iso(from + 1000 * i), ...event })}\n`).join("");
}

/** A study in the middle of an attack, one cell done, one failed. */
export async function writeRunningStudy(runs: string, id: string): Promise<void> {
  const dir = join(runs, id);
  const now = Date.now();
  await writeRecord(dir, {
    name: id,
    status: "RUNNING",
    started: iso(now - 4 * MINUTE),
    heartbeat: iso(now),
    attempts: 2,
  });
  const running = record({
    name: id,
    status: "RUNNING",
    started: iso(now - 4 * MINUTE),
    heartbeat: iso(now),
    attempts: 2,
  });
  const { ended: _, ...rest } = running;
  await json(join(dir, "run.json"), rest);
  await writeCell(dir, GRID[0]!.cell, cell({ attack: "gmi", identityCount: 3 }));
  await writeRecord(join(dir, "cells", GRID[1]!.cell), {
    kind: "cell",
    name: GRID[1]!.cell,
    status: "FAILED",
    error: "kedmi: the loss is NaN at step 12; a lower learning rate would keep it finite",
  });
  await writeRecord(join(dir, "cells", GRID[2]!.cell), {
    kind: "cell",
    name: GRID[2]!.cell,
    status: "RUNNING",
    heartbeat: iso(now),
  });
  const step = { step: "gmi on tl-dmi layer3.0, seed 1", id: "attack-0123456789abcdef" };
  const progress = Array.from({ length: 30 }, (_, i) => ({
    type: "step-progress" as const,
    ...step,
    done: 1 + i,
    total: 80,
    unit: "iterations",
    metrics: { loss: 9 * Math.exp(-i / 10), identity: 4 * Math.exp(-i / 8) },
  }));
  await writeFile(
    join(dir, "events.jsonl"),
    lines(
      [
        { type: "study-started", study: id, cells: 4, steps: 9, grid: GRID },
        { type: "step-finished", step: "start weights", id: "pretraining-0", source: "shipped", seconds: 40 },
        { type: "step-finished", step: "target tl-dmi, seed 1", id: "target-1", source: "run", seconds: 71.4 },
        {
          type: "cell-finished",
          defense: "none",
          attack: "kedmi",
          seed: 1,
          cell: GRID[1]!.cell,
          status: "failed",
          message: "kedmi: the loss is NaN at step 12; a lower learning rate would keep it finite",
        },
        { type: "step-started", ...step, resumed: false },
        ...progress,
      ],
      now - 35_000,
    ),
  );
  const preview = join(runs, "steps", `${step.id}.part`, PREVIEW);
  await mkdir(preview, { recursive: true });
  const side = 32;
  const noise = (seed: number, strength: number) => {
    const rng = random(seed, "noise");
    return Float32Array.from(
      { length: 3 * side * side * 6 },
      (_, i) => 0.5 + 0.4 * Math.sin(i / 9) * strength + (1 - strength) * (rng.uniform() - 0.5),
    );
  };
  const size = { channels: 3, height: side, width: side * 6 };
  await writePng(join(preview, PREVIEW_FILES.first), noise(1, 0.1), size);
  await writePng(join(preview, PREVIEW_FILES.latest), noise(2, 0.8), size);
  await json(join(preview, PREVIEW_FILES.about), {
    schemaVersion: 1,
    labels: [0, 1, 2, 3, 4, 5],
    size: [side, side],
    frame: 4,
  });
}

/** The text of a valid study, small in every part. */
export async function quickstart(): Promise<string> {
  return readFile(fileURLToPath(new URL("../../examples/quickstart.yaml", import.meta.url)), "utf8");
}
