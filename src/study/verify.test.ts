import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { finishRun, openRunFolder } from "./run-folder.ts";
import { verifyRun } from "./verify.ts";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "verify-"));
  const run = await openRunFolder({ dir, kind: "cell", name: "tiny", config: { a: 1 }, machine: { threads: 2 } });
  await finishRun(run, async () => {
    await writeFile(join(run.artifacts, "weights"), "0123");
    await writeFile(join(run.artifacts, "other"), "4567");
    await run.writeJson("result.json", { value: 1 });
  });
});
afterEach(() => rm(dir, { recursive: true }));

test("a folder as it was written has nothing to say; its record and its report may change", async () => {
  const before = await verifyRun(dir);
  expect(before).toEqual({ files: 4, changed: [], missing: [], extra: [] });
  await appendFile(join(dir, "run.json"), "\n");
  expect(await verifyRun(dir)).toEqual(before);
});

test("changed, missing and later files are told apart, even where the size stays", async () => {
  await writeFile(join(dir, "artifacts/weights"), "0124");
  await rm(join(dir, "artifacts/other"));
  await writeFile(join(dir, "artifacts/target.onnx"), "later");
  expect(await verifyRun(dir)).toEqual({
    files: 4,
    changed: ["artifacts/weights"],
    missing: ["artifacts/other"],
    extra: ["artifacts/target.onnx"],
  });
});

test("without a manifest it says why there is none", async () => {
  await writeFile(join(dir, "manifest.json"), "{}");
  await expect(verifyRun(dir)).rejects.toThrow(/manifest\.json: no manifest of schemaVersion 1/);
  await rm(join(dir, "manifest.json"));
  await expect(verifyRun(dir)).rejects.toThrow(/cannot be read; the run is COMPLETED/);
  await rm(join(dir, "run.json"));
  await expect(verifyRun(dir)).rejects.toThrow(/no run in it; expected the folder of a study or a cell/);
});
