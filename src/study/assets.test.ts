import { appendFileSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { verifyStore } from "./assets.ts";
import { openStepStore } from "./step-store.ts";

test("a store is whole until a file of it has other content, even of the same size", async () => {
  const root = mkdtempSync(join(tmpdir(), "tldmi-"));
  const store = openStepStore({ root, events: () => {}, signal: new AbortController().signal });
  const spec = { kind: "prior", version: 1, config: null, inputs: {} };
  const { dir } = await store.run(spec, "prior", async (context) =>
    writeFileSync(join(context.dir, "g.bin"), "weights"),
  );
  expect(await verifyStore(root)).toEqual({ steps: 1, damaged: [] });
  expect(readFileSync(join(dir, "g.bin"), "utf8")).toBe("weights");
  writeFileSync(join(dir, "g.bin"), "WEIGHTS");
  expect(await verifyStore(root)).toMatchObject({
    steps: 1,
    damaged: [{ faults: ["g.bin has other content than was written"] }],
  });
  appendFileSync(join(dir, "g.bin"), "!");
  expect(await verifyStore(root)).toMatchObject({ damaged: [{ faults: ["g.bin has 8 bytes instead of 7"] }] });
});

test("a store that is not there has no steps", async () => {
  expect(await verifyStore(join(tmpdir(), "tldmi-none"))).toEqual({ steps: 0, damaged: [] });
});
