import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openRunFolder } from "../study/run-folder.ts";
import { studyFolderOf } from "./study-folder.ts";

test("a cell's folder leads to its study's, and a study's to itself, also while they have no result yet", async () => {
  const dir = mkdtempSync(join(tmpdir(), "tldmi-"));
  const cell = join(dir, "cells", "none-gmi");
  const common = { config: {}, machine: {} };
  await (await openRunFolder({ ...common, dir, kind: "study", name: "quick" })).finish("COMPLETED");
  const options = { ...common, dir: cell, kind: "cell", name: "none gmi", study: "../.." } as const;
  await (await openRunFolder(options)).finish("COMPLETED");
  expect(await studyFolderOf(cell)).toBe(dir);
  expect(await studyFolderOf(dir)).toBe(dir);
});
