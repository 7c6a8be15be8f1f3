import { readdir, readFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

// Imports run one way: a folder may use those to the left of it in its own row, and those of all rows above.
const ROWS = [
  ["engine"],
  ["data", "models", "priors"],
  ["defenses", "attacks", "metrics", "fisher"],
  ["study"],
  ["cluster", "report"],
  ["api"],
  ["server"],
  ["cli"],
];

/** Folders of one row that may use those to their left: the others stand beside each other, unaware. */
const ORDERED = new Set(["models", "priors"]);

/** The page runs in browsers: of this package it may import the charts, and of the server its types. */
const WEB = { folder: "web", values: "report/charts.ts", types: "server/api.ts" };

/** The only file that may know the runtime. */
const RUNTIME = { file: "engine/runtime.ts", package: "onnxruntime-node" };

/** The folders that a folder of src may import from; undefined where it has no place yet. */
function allowed(folder: string): ReadonlySet<string> | undefined {
  const row = ROWS.findIndex((r) => r.includes(folder));
  if (row < 0) return undefined;
  const beside = ORDERED.has(folder) ? ROWS[row]!.slice(0, ROWS[row]!.indexOf(folder)) : [];
  return new Set([...ROWS.slice(0, row).flat(), ...beside, folder]);
}

const IMPORT = /(?:\bfrom|\bimport|\brequire)\s*\(?\s*["']([^"']+)["']/g;

/** The import or export that a specifier's match ends, from its first word on. */
function statement(text: string, end: number): string {
  const start = Math.max(text.lastIndexOf("import", end - 1), text.lastIndexOf("export", end - 1));
  return text.slice(Math.max(0, start), end);
}

/** What the imports of a file break, in words. `file` is its path within src. */
function violations(file: string, text: string): string[] {
  const folder = file.includes("/") ? file.slice(0, file.indexOf("/")) : "";
  return [...text.matchAll(IMPORT)].flatMap(({ 1: specifier, index, 0: match }) => {
    if (specifier === RUNTIME.package && file !== RUNTIME.file)
      return [`${file}: only ${RUNTIME.file} imports ${specifier}`];
    if (!specifier!.startsWith(".")) return [];
    const target = relative("/src", resolve("/src", file, "..", specifier!));
    if (target.startsWith("..")) {
      const support = file.endsWith(".test.ts") && target.startsWith("../test/support/");
      return support || target === "../package.json" ? [] : [`${file}: imports ${specifier} from outside src`];
    }
    const other = target.includes("/") ? target.slice(0, target.indexOf("/")) : "";
    if (folder === WEB.folder) {
      const typeOnly = /^(import|export) type\b/.test(statement(text, index + match.length));
      const may = other === WEB.folder || target === WEB.values || (target === WEB.types && typeOnly);
      return may ? [] : [`${file}: web may import ${WEB.values}, and types of ${WEB.types}, not ${specifier}`];
    }
    // What lies in src itself is the package's front door: it sees everything and nothing sees it.
    if (folder === "") return [];
    const may = allowed(folder);
    if (may === undefined) return [`${file}: the folder ${folder} has no place in the order of folders`];
    return may.has(other) ? [] : [`${file}: ${folder} must not import ${other} (${specifier})`];
  });
}

test("imports under src point one way, and only the engine's runtime knows ONNX Runtime", async () => {
  const src = fileURLToPath(new URL("../src/", import.meta.url));
  const files = (await readdir(src, { recursive: true })).filter((f) => /\.tsx?$/.test(f));
  expect(files.length).toBeGreaterThan(50);
  const found = await Promise.all(files.map(async (f) => violations(f, await readFile(join(src, f), "utf8"))));
  expect(found.flat()).toEqual([]);
});

test.each([
  ["engine/graph.ts", 'import { x } from "../models/layer.ts";', "engine must not import models"],
  ["data/loader.ts", 'import type { x } from "../models/layer.ts";', "data must not import models"],
  ["models/vgg.ts", 'export * from "../priors/prior.ts";', "models must not import priors"],
  ["attacks/gmi.ts", 'import { x } from "../defenses/none.ts";', "attacks must not import defenses"],
  ["metrics/deep/fid.ts", 'const x = await import("../../study/result.ts");', "metrics must not import study"],
  ["report/html.ts", 'import "../cli/main.ts";', "report must not import cli"],
  ["study/run.ts", 'import { a } from "../index.ts";', "study must not import"],
  ["study/run.ts", 'import {\n  a,\n} from "../report/html.ts";', "study must not import report"],
  ["models/vgg.ts", 'import ort from "onnxruntime-node";', "only engine/runtime.ts imports onnxruntime-node"],
  ["models/vgg.ts", 'const ort = require("onnxruntime-node");', "only engine/runtime.ts imports onnxruntime-node"],
  ["server/app.ts", 'import { x } from "../cli/io.ts";', "server must not import cli"],
  ["server/app.ts", 'import { x } from "../web/page.tsx";', "server must not import web"],
  ["web/page.tsx", 'import { x } from "../server/api.ts";', "web may import report/charts.ts"],
  ["web/page.tsx", 'import { x } from "../report/html.ts";', "web may import report/charts.ts"],
  ["web/page.tsx", 'import type { x } from "../study/result.ts";', "web may import report/charts.ts"],
  ["extras/a.ts", 'import "../engine/graph.ts";', "the folder extras has no place"],
  ["engine/graph.ts", 'import "../../test/support/x.ts";', "from outside src"],
])("%s may not have %s", (file, text, message) => {
  expect(violations(file, text).join()).toContain(message);
});

test.each([
  ["engine/runtime.ts", 'import ort from "onnxruntime-node";'],
  ["priors/dcgan.ts", 'import { x } from "../models/layers.ts";'],
  ["models/train.ts", 'import { x } from "../data/loader.ts";'],
  ["report/html.ts", 'import type { x } from "../study/result.ts";'],
  ["report/html.test.ts", 'import { x } from "../../test/support/study-result.ts";'],
  ["engine/ops/conv.ts", 'import { x } from "../graph.ts";'],
  ["cli/commands/serve.ts", 'import { serve } from "../../server/index.ts";'],
  ["web/page.tsx", 'import { x } from "../report/charts.ts";\nimport type { y } from "../server/api.ts";'],
])("%s may have %s", (file, text) => {
  expect(violations(file, text)).toEqual([]);
});
