import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeFinishedStudy } from "./support/fake-runs.ts";
import { READERS, SOURCES } from "./support/hostile-sources.ts";
import { mutated } from "./support/mutate.ts";
import { smallFaces } from "./support/small-faces.ts";

// The real command line on damaged files, each in a process of its own that nothing protects.

const execute = promisify(execFile);
const root = fileURLToPath(new URL("../", import.meta.url));
/** Compiled beside the sources, so that packages are found; a folder of its own for each run of the tests. */
const compiled = join(root, ".cache", `hostile-cli-${process.pid}`);
const GIBIBYTES = 2;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hostile-cli-"));
  await mkdir(compiled, { recursive: true });
  await copyFile(join(root, "package.json"), join(compiled, "package.json"));
  const plain = ["--noCheck", "--declaration", "false", "--declarationMap", "false", "--sourceMap", "false"];
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const project = ["-p", join(root, "tsconfig.build.json"), "--outDir", join(compiled, "dist")];
  await execute(process.execPath, [tsc, ...project, ...plain]);
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await rm(compiled, { recursive: true });
});

const study = (data: string, model = "{ kind: resnet10, width: 4 }", more = "") =>
  `name: hostile
${data}
model: ${model}
evaluation: { model: { kind: resnet10, width: 4 } }
defenses: [none]
attacks: [gmi]
${more}`;
const faces = smallFaces({ validation: 2, test: 2 });
const weights = (file: string) => study(faces, undefined, `pretraining: { weights: ${file} }\n`);
const folders = study("data: { kind: folder, size: 16, private: private, public: public }");

/** A study that reads the file, and where the file lies. */
const STUDIES: Readonly<Record<string, { readonly yaml?: string; readonly at: string }>> = {
  "model.onnx": { yaml: study(faces, "{ kind: onnx, file: model.onnx }"), at: "model.onnx" },
  "w.safetensors": { yaml: weights("w.safetensors"), at: "w.safetensors" },
  "w.pth": { yaml: weights("w.pth"), at: "w.pth" },
  "legacy.pth": { yaml: weights("legacy.pth"), at: "legacy.pth" },
  "image.png": { yaml: folders, at: "private/a/0.png" },
  "image.jpg": { yaml: folders, at: "private/a/0.jpg" },
  "study.yaml": { at: "study.yaml" },
  "table.parquet": {
    yaml: study("data: { kind: parquet, size: 16, root: table.parquet, public: public }"),
    at: "table.parquet",
  },
};

async function people(under: string): Promise<void> {
  for (const [at, name] of ["private/a", "private/b", "public/c"].entries()) {
    await mkdir(join(under, name), { recursive: true });
    for (let i = 1; i < 5; i++) {
      const background = { r: 40 * at, g: 40 * i, b: 90 };
      await sharp({ create: { width: 16, height: 16, channels: 3, background } })
        .png()
        .toFile(join(under, name, `${i}.png`));
    }
  }
}

/** The first mutated copy, from the given turn, that the reader itself refuses. */
async function refusedCopy(name: string, path: string, turn: number): Promise<void> {
  const [source] = await SOURCES[name]!();
  for (let at = turn; ; at++) {
    await writeFile(path, mutated(source!, source!, `cli ${name}`, at));
    const outcome = await Promise.resolve()
      .then(() => READERS[name]!(path))
      .then(
        () => "read",
        () => "refused",
      );
    if (outcome === "refused") return;
  }
}

test("whoever stops reading does not make a gate that fails one that holds", async () => {
  const home = await mkdtemp(join(folder, "closed-"));
  await writeFinishedStudy(home, "finished");
  const gate = [join(compiled, "dist/cli/main.js"), "gate", "finished", "--max", "attack.top1=0.1"];
  const child = spawn(process.execPath, gate, { cwd: home, stdio: ["ignore", "pipe", "ignore"] });
  child.stdout.destroy();
  expect(await once(child, "exit")).toEqual([3, null]);
});

const filesUnder = async (path: string) => (await readdir(path, { recursive: true })).sort();

test.each(Object.keys(STUDIES).map((name, at) => [name, at] as const))(
  "validate names a damaged %s in one line and leaves with 2",
  async (name, turn) => {
    const { yaml, at } = STUDIES[name]!;
    const inside = join(folder, name);
    const home = join(folder, `${name}-home`);
    await people(inside);
    await mkdir(home);
    await mkdir(dirname(join(inside, at)), { recursive: true });
    await refusedCopy(name, join(inside, at), turn);
    if (yaml !== undefined) await writeFile(join(inside, "study.yaml"), yaml);
    const before = await filesUnder(inside);
    const memory = join(folder, `${name}-memory`);
    const note = `import { writeFileSync } from "node:fs"; process.on("exit", () => writeFileSync(${JSON.stringify(memory)}, String(process.resourceUsage().maxRSS)));`;
    const program = [
      "--import",
      `data:text/javascript,${encodeURIComponent(note)}`,
      join(compiled, "dist/cli/main.js"),
    ];
    const runs = join(folder, `${name}-runs`);
    const child = execute(process.execPath, [...program, "--runs", runs, "validate", join(inside, "study.yaml")], {
      cwd: home,
      env: { ...process.env, HOME: home, TMPDIR: home, NO_COLOR: "1" },
      timeout: 500_000,
    });
    const ended = await child.then(
      () => ({ code: 0, signal: null, stderr: "" }),
      (error: { code: number; signal: string | null; stderr: string }) => error,
    );
    expect(ended).toMatchObject({ code: 2, signal: null });
    expect(ended.stderr).toMatch(/^error:\s/);
    expect(ended.stderr).toContain(join(inside, at));
    expect(ended.stderr).not.toMatch(/\n\s+at /);
    if (name !== "study.yaml") expect(ended.stderr.trim().split("\n")).toHaveLength(1);
    expect(Number(await readFile(memory, "utf8")) / 2 ** 20).toBeLessThan(GIBIBYTES);
    // Nothing but what the run keeps under its own folder.
    expect(await filesUnder(inside)).toEqual(before);
    expect(await filesUnder(home)).toEqual([]);
  },
);
