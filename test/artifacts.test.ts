import { EventEmitter } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { modules } from "../src/cli/modules.ts";
import { runCli } from "../src/cli/program.ts";
import { UserError } from "../src/engine/errors.ts";
import { random } from "../src/engine/random.ts";
import { runOnnx } from "../src/engine/runtime.ts";
import { tensor } from "../src/engine/tensor.ts";
import { collectArtifacts } from "../src/report/artifacts/index.ts";
import { exportRun } from "../src/study/export.ts";
import { runStudy } from "../src/study/pipeline.ts";
import { expectAllClose } from "./support/all-close.ts";
import { twoTargetsStudy } from "./support/two-targets-study.ts";

const STUDY = twoTargetsStudy("published", "{ kind: gmi, iterations: 2 }", 2);

let root = "";
let out = "";
let studyDir = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "artifacts-"));
  out = join(root, "artifacts");
  const studyFile = join(root, "published.yaml");
  await writeFile(studyFile, STUDY);
  const ran = await runStudy({
    ...{ studyFile, runsDir: join(root, "runs"), includePrivate: true, threads: 1 },
    signal: new AbortController().signal,
    events: () => {},
  });
  studyDir = ran.studyDir;
  await collectArtifacts({ runs: [studyDir], out });
});
afterAll(() => rm(root, { recursive: true }));

async function verify(folder = out): Promise<{ code: number; said: string }> {
  const said: string[] = [];
  const stream = { write: (text: string) => said.push(text) };
  const io = { stdout: stream, stderr: stream, env: {}, signals: new EventEmitter(), exitNow: () => {} };
  return { code: await runCli(["verify", "--strict", folder], io, modules), said: said.join("") };
}

const folders = async (name: string) => (await readdir(join(out, name))).toSorted();
const refusal = (options: Parameters<typeof collectArtifacts>[0]) =>
  collectArtifacts(options).catch((error: unknown) => (error instanceof UserError ? error.message : error));

test("a finished study is collected: what its cells share once, no private image, a card that says what leaks", async () => {
  const targets = await folders("targets");
  expect(targets.map((name) => name.replace(/-[0-9a-f]{16}$/, ""))).toEqual([
    "resnet10-none-seed1",
    "resnet10-tl-dmi-layer2.0-seed1",
  ]);
  expect([(await folders("priors")).length, (await folders("judges")).length]).toEqual([1, 1]);
  const [found] = await folders("reconstructions");
  expect((await readdir(join(out, "reconstructions", found!))).toSorted()).toEqual([
    "latents.npy",
    "result.json",
    "sheet.png",
  ]);
  const { width, height } = await sharp(join(out, "reconstructions", found!, "sheet.png")).metadata();
  expect([width, height]).toEqual([2 * 32, 4 * 32]);
  const everything = await readdir(out, { recursive: true });
  expect(everything.filter((path) => path.includes("private"))).toEqual([]);
  const card = await readFile(join(out, "targets", targets[1]!, "MODEL_CARD.md"), "utf8");
  expect(card).toContain("everything up to layer2.0 is as pre-trained");
  expect(card).toMatch(/^\| gmi \| [\d.]+.%.\[/m);
});

test("a published target has the logits of the run's own, but for the rounding of its weights", async () => {
  const images = { images: tensor(random(1, "images").uniforms(2 * 3 * 32 * 32), [2, 3, 32, 32]) };
  const [name] = await folders("targets");
  const own = await exportRun(join(studyDir, "cells/none-gmi-seed1"), { format: "onnx", out: join(root, "own.onnx") });
  const [before, after] = [
    await runOnnx(await readFile(own), images),
    await runOnnx(await readFile(join(out, "targets", name!, "model.onnx")), images),
  ];
  expectAllClose(after.logits!.data, before.logits!.data, { relative: 1e-2, absolute: 5e-3 });
});

test("tldmi verify passes, and fails for one byte that is another", async () => {
  expect(await verify()).toMatchObject({ code: 0 });
  const path = join(out, "targets", (await folders("targets"))[0]!, "model.onnx");
  const bytes = await readFile(path);
  await writeFile(
    path,
    bytes.map((byte, i) => (i === 1000 ? byte ^ 1 : byte)),
  );
  expect(await verify()).toMatchObject({ code: 3, said: expect.stringMatching(/^changed {2}targets\/.*model\.onnx/) });
  await collectArtifacts({ runs: [studyDir], out });
  expect(await verify(), "collected again").toMatchObject({ code: 0 });
});

test("too many bytes, a changed run and a folder of something else are refused, and nothing is left behind", async () => {
  expect(await refusal({ runs: [studyDir], out, limit: 1000 })).toMatch(
    /bytes are more than the 1.000 that.*largest: /,
  );
  expect(await verify()).toMatchObject({ code: 0 });
  expect(await refusal({ runs: [studyDir], out: root })).toContain("holds something else than artifacts");
  const latents = join(studyDir, "cells/none-gmi-seed1/artifacts/latents.npy");
  const before = await readFile(latents);
  await writeFile(latents, "other");
  expect(await refusal({ runs: [studyDir], out })).toContain("artifacts/latents.npy is not as the run wrote it");
  await writeFile(latents, before);
  expect((await readdir(root)).filter((name) => name.includes(".part-"))).toEqual([]);
});

test("a target that was trained on images of somebody's is not published", async () => {
  const cell = join(studyDir, "cells/none-gmi-seed1");
  const description = join(cell, "artifacts/model.json");
  const before = await readFile(description, "utf8");
  const manifest = join(cell, "manifest.json");
  const listed = await readFile(manifest, "utf8");
  await writeFile(description, before.replace('"data": "faces"', '"data": "folder"'));
  const files = JSON.parse(listed).files.filter(({ path }: { path: string }) => path !== "artifacts/model.json");
  await writeFile(manifest, JSON.stringify({ schemaVersion: 1, files }));
  expect(await refusal({ runs: [cell], out: join(root, "other") })).toContain("trained on images of kind folder");
  await writeFile(description, before);
  await writeFile(manifest, listed);
});

test("what this project publishes is as it was collected, and holds defended and undefended targets", async () => {
  const published = fileURLToPath(new URL("../artifacts", import.meta.url));
  expect(await verify(published)).toMatchObject({ code: 0 });
  const targets = await readdir(join(published, "targets"));
  for (const kind of ["-none-", "-tl-dmi-"]) expect(targets.some((name) => name.includes(kind))).toBe(true);
});
