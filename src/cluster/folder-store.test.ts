import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { assetsFolder } from "../study/assets.ts";
import { stepFolder } from "../study/step-record.ts";
import { folderStore } from "./folder-store.ts";

test("says of a finished step whether it lies in the store or came with the package", async () => {
  const store = folderStore(mkdtempSync(join(tmpdir(), "tldmi-")));
  const steps = store.openSteps({ events: () => {}, signal: new AbortController().signal });
  const spec = { kind: "step", version: 1, config: {}, inputs: {} };
  const folder = stepFolder(spec);
  expect(await store.finished.find(folder)).toBe(undefined);
  const { seconds } = await steps.run(spec, "step", async ({ dir }) => writeFileSync(join(dir, "out"), "done"));
  expect(await store.finished.find(folder)).toEqual({ seconds, source: "store" });
  const shipped = readdirSync(assetsFolder).find((name) => name.startsWith("evaluation-model-"));
  expect(await store.finished.find(shipped!)).toMatchObject({ source: "shipped" });
});
