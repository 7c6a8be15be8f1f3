import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openStepStore } from "../study/step-store.ts";
import { checkMemory, checkNode, runChecks } from "./checks.ts";
import { checkCLibrary, checkDevices, vectorsIn } from "./machine-checks.ts";

const modules = {
  runtime: async () => ({
    runtimeInfo: () => ({ version: "1.30.0", backends: ["cpu"], threads: 2 }),
    deviceStates: async () => [{ device: "cpu" as const }, { device: "cuda" as const, problem: "no library" }],
    setDevice: () => Promise.reject(new Error("not needed by this test")),
  }),
};
const folder = () => mkdtempSync(join(tmpdir(), "tldmi-"));

test("node is old before 20.19", () => {
  expect(checkNode("20.18.1")).toMatchObject({ state: "fail", detail: "20.18.1; expected 20.19 or newer" });
  for (const version of ["20.19.0", "22.1.0", "24.0.0"]) expect(checkNode(version).state).toBe("ok");
});

test("little memory is a warning", () => {
  expect(checkMemory(1.234, 8)).toMatchObject({ state: "warn", detail: "1.2 of 8.0 GiB free; studies may need 4 GiB" });
  expect(checkMemory(16, 24).state).toBe("ok");
});

test("a Linux without glibc fails, since the runtime is built for it", () => {
  expect(checkCLibrary(undefined, "linux")).toMatchObject({ state: "fail", detail: expect.stringContaining("musl") });
  expect(checkCLibrary("2.36", "linux")).toMatchObject({ state: "ok", detail: "glibc 2.36" });
  expect(checkCLibrary(undefined, "darwin").state).toBe("ok");
});

test("vector instructions are read from the processor's flags, of x86 and of ARM", () => {
  expect(vectorsIn("model\t: x\nflags\t\t: fpu avx avx2 avx512f rdpid\n")).toBe(
    "vector instructions avx, avx2, avx512f",
  );
  expect(vectorsIn("Features\t: fp asimd sve\n")).toBe("vector instructions asimd, sve");
  expect(vectorsIn("")).toContain("not known");
});

test("a device that is missing is no fault, unless it is the processor; the line says how to get it", () => {
  const lines = checkDevices([
    { device: "cpu", problem: "broken" },
    { device: "cuda", problem: "no library" },
  ]);
  expect(lines.filter(({ state }) => state === "fail")).toEqual([
    { name: "device cpu", state: "fail", detail: "broken" },
  ]);
  expect(lines[1]!.detail).toMatch(/^not usable: no library; it needs .*onnxruntime-node-install=cuda12/);
});

test("a sound machine passes, and the look leaves nothing behind", async () => {
  const dir = folder();
  const checks = await runChecks({ modules, runsDir: join(dir, "a", "runs"), assets: join(dir, "assets") });
  expect(checks.filter(({ state }) => state === "fail")).toEqual([]);
  expect(checks.map(({ name }) => name)).toEqual([
    "node",
    "c library",
    "onnxruntime",
    "device cpu",
    "device cuda",
    "device webgpu",
    "device coreml",
    "device dml",
    "sharp",
    "processors",
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
