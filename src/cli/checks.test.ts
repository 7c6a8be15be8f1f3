import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openStepStore } from "../study/step-store.ts";
import { checkMemory, checkNode, runChecks } from "./checks.ts";

const modules = {
  runtime: async () => ({ runtimeInfo: () => ({ version: "1.30.0", backends: ["cpu"], threads: 2 }) }),
};
const folder = () => mkdtempSync(join(tmpdir(), "tldmi-"));

test("node is old before 20.19", () => {
  expect(checkNode("20.18.1")).toMatchObject({ state: "fail", detail: "20.18.1; expected 20.19 or newer" });
  for (const version of ["20.19.0", "22.1.0", "24.0.0"]) expect(checkNode(version).state).toBe("ok");
});

test("little memory is a warning", () => {
  expect(checkMemory(1.234)).toMatchObject({ state: "warn", detail: "1.2 GiB free; studies may need 4 GiB" });
  expect(checkMemory(16).state).toBe("ok");
});

test("a sound machine passes, and the look leaves nothing behind", async () => {
  const dir = folder();
  const checks = await runChecks({ modules, runsDir: join(dir, "a", "runs"), assets: join(dir, "assets") });
  expect(checks.filter(({ state }) => state === "fail")).toEqual([]);
  expect(checks.map(({ name }) => name)).toEqual([
    "node",
    "onnxruntime",
    "sharp",
    "cores",
    "memory",
    "runs folder",
    "assets",
  ]);
  expect(checks.at(-1)).toMatchObject({ state: "warn", detail: expect.stringContaining("no steps come") });
  expect(readdirSync(dir)).toEqual([]);
});

test("a runtime that doesn't load and a folder that cannot be written fail", async () => {
  const dir = folder();
  writeFileSync(join(dir, "file"), "");
  const broken = { runtime: () => Promise.reject(new Error("libonnxruntime.so: not found\nmore")) };
  const checks = await runChecks({ modules: broken, runsDir: join(dir, "file", "runs"), assets: dir });
  expect(checks.filter(({ state }) => state === "fail")).toMatchObject([
    { name: "onnxruntime", detail: "libonnxruntime.so: not found" },
    { name: "runs folder" },
  ]);
});

test("shipped steps are compared with their manifests, contents included", async () => {
  const root = folder();
  const store = openStepStore({ root, events: () => {}, signal: new AbortController().signal });
  const spec = { kind: "prior", version: 1, config: null, inputs: {} };
  const { dir } = await store.run(spec, "prior", async (c) => writeFileSync(join(c.dir, "g.bin"), "weights"));
  const last = async () => (await runChecks({ modules, runsDir: root, assets: root })).at(-1);
  expect(await last()).toMatchObject({ state: "ok", detail: "1 steps, every file as its manifest says" });
  writeFileSync(join(dir, "g.bin"), "WEIGHTS");
  expect(await last()).toMatchObject({ state: "warn", detail: expect.stringContaining("g.bin has other content") });
});
