import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { canonicalJson } from "../study/canonical.ts";
import { readStudy } from "../study/read-study.ts";
import { folderStore } from "./folder-store.ts";
import { gridName, publishGrid, readGrid } from "./grid-file.ts";
import { endGrid, gridPath, queueName } from "./grid-folder.ts";

const examples = fileURLToPath(new URL("../../examples/", import.meta.url));

let runsDir = "";
beforeEach(() => {
  runsDir = mkdtempSync(join(tmpdir(), "grid-file-"));
});
afterEach(() => rmSync(runsDir, { recursive: true }));

test("workers read the study that was published, to the last key", async () => {
  for (const file of readdirSync(examples).filter((name) => name.endsWith(".yaml"))) {
    const read = await readStudy(join(examples, file));
    const name = gridName(runsDir, read);
    await publishGrid(folderStore(runsDir), name, read);
    const grid = await readGrid(folderStore(runsDir), name);
    const plain = (value: unknown) => canonicalJson(JSON.parse(JSON.stringify(value)));
    expect(plain(grid!.read), file).toBe(plain(read));
    await endGrid(runsDir, name);
    expect(await readGrid(folderStore(runsDir), name)).toBe(undefined);
  }
});

test("a grid's file that cannot be understood is refused in words", async () => {
  await queueName(runsDir);
  writeFileSync(gridPath(runsDir, "g"), '{"schemaVersion":2}');
  await expect(readGrid(folderStore(runsDir), "g")).rejects.toThrow(
    /grid g in .*: no grid of schemaVersion 1 that version .* understands/,
  );
});

test("a folder of runs has one queue, whoever asks first", async () => {
  const names = await Promise.all(Array.from({ length: 20 }, () => queueName(runsDir)));
  expect(new Set(names).size).toBe(1);
  expect(names[0]).toMatch(/^tldmi-[0-9a-f]{8}$/);
  writeFileSync(join(runsDir, "grids", "store-id"), "x");
  await expect(queueName(runsDir)).rejects.toThrow("expected eight hexadecimal digits");
});
