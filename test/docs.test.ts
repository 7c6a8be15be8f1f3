import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import packageJson from "../package.json" with { type: "json" };
import { attacks } from "../src/attacks/index.ts";
import { commandPage } from "../src/cli/command-page.ts";
import { dataSources } from "../src/data/index.ts";
import { defenses } from "../src/defenses/index.ts";
import { metrics } from "../src/metrics/index.ts";
import { models } from "../src/models/index.ts";
import { priors } from "../src/priors/index.ts";
import { METRIC_FAMILIES, namedMetrics } from "../src/study/named-metrics.ts";
import { readStudy } from "../src/study/read-study.ts";
import { StudySchema } from "../src/study/study-schema.ts";
import { parseYamlConfig } from "../src/study/yaml-config.ts";
import { cell, study } from "./support/study-result.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const at = (...path: string[]) => join(root, ...path);
/** A page, with the padding of table cells taken away. */
const read = async (path: string) => tight(await readFile(at(path), "utf8"));
const tight = (text: string) =>
  text
    .replaceAll(/\| +/g, "| ")
    .replaceAll(/ +\|/g, " |")
    .replaceAll(/\| -+ /g, "| --- ");
const execute = promisify(execFile);
const node = (...args: string[]) => execute(process.execPath, args, { cwd: root });

/** The code blocks of a page whose fence names the language so, without their indentation. */
function blocks(page: string, language: string): string[] {
  const fence = new RegExp(`^( *)\`\`\`${language}\\n([^]*?)^\\1\`\`\`$`, "gm");
  return [...page.matchAll(fence)].map(([, indent, text]) => text!.replaceAll(new RegExp(`^${indent}`, "gm"), ""));
}

let scratch = "";
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "docs-"));
});
afterAll(() => rm(scratch, { recursive: true }));

describe("FEATURES.md", () => {
  /** The text under a heading, up to the next one. */
  const section = async (title: string) => (await read("FEATURES.md")).split(`\n## ${title}\n`)[1]!.split("\n## ")[0]!;

  test.each([
    ["Attacks", attacks],
    ["Defenses", defenses],
    ["Models", models],
    ["Priors", priors],
    ["Data", dataSources],
    ["Metrics", metrics],
  ])(
    "%s: every member of the list has a row that names its test, and every other row says what is missing",
    async (title, list) => {
      const rows = (await section(title))
        .split("\n")
        .filter((line) => line.startsWith("| ") && !line.startsWith("| ---"));
      for (const { kind } of list) {
        const row = rows.find((line) => /^\| `([^`]+)` \| [✓◐] \|/.exec(line)?.[1] === kind);
        expect(row, kind).toMatch(/`(src|test)\/[^`]+\.test\.ts` \|$/);
      }
      const kinds = rows.flatMap((row) => /^\| `([^`]+)`/.exec(row)?.[1] ?? []);
      expect(kinds).toEqual(list.map(({ kind }) => kind));
    },
  );

  test("attacks have the access that their code declares", async () => {
    const text = (await section("Attacks")).replaceAll("| ◐ |", "| ✓ |");
    for (const { kind, access, prior } of attacks)
      expect(text).toContain(`| \`${kind}\` | ✓ | ${access} | ${prior === null ? "images" : `\`${prior}\``} |`);
  });

  test("every operation is named, and no other", async () => {
    const folder = at("src/engine/ops");
    const files = (await readdir(folder)).filter((f) => f.endsWith(".ts") && !/test|conv-lowering/.test(f));
    const loaded = await Promise.all(files.map((f): Promise<object> => import(join(folder, f))));
    const operations = loaded.flatMap((m) =>
      Object.entries(m).flatMap(([k, v]) => (typeof v === "function" ? [k] : [])),
    );
    const table = (await section("Engine")).split("| part |")[0]!.split("| --- | --- |")[1]!;
    const named = [...table.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
    expect(named.sort()).toEqual(operations.sort());
  });

  test("every test file that it names exists", async () => {
    const named = [...(await read("FEATURES.md")).matchAll(/`((?:src|test)\/[^`]+)`/g)].map(([, path]) => path!);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((path) => !existsSync(at(path)))).toEqual([]);
  });
});

test("the code in README.md, CONTRIBUTING.md and docs/howto compiles", async () => {
  const library = [
    ...blocks(await read("README.md"), "ts"),
    ...blocks(await read("docs/howto/own-attack.md"), "ts own attack"),
  ];
  const attack = blocks(await read("CONTRIBUTING.md"), "ts attack");
  expect([library.length, attack.length]).toEqual([3, 1]);
  for (const [i, code] of library.entries()) await writeFile(join(scratch, `library-${i}.mts`), code);
  // It is written to lie in src/attacks.
  const beside = (code: string) =>
    code.replaceAll(/from "(\.[^"]+)"/g, (_, path) => `from "${at("src/attacks", path)}"`);
  await writeFile(join(scratch, "attack.mts"), beside(attack[0]!));
  const subpaths = Object.keys(packageJson.exports).filter((name) => name !== "./package.json");
  const config = {
    extends: at("tsconfig.json"),
    compilerOptions: {
      typeRoots: [at("node_modules/@types")],
      rewriteRelativeImportExtensions: false,
      paths: {
        zod: [at("node_modules/zod/index.d.ts")],
        ...Object.fromEntries(subpaths.map((name) => [join("tl-dmi", name), [at(sourceOf(name))]])),
      },
    },
    include: [join(scratch, "*.mts")],
  };
  await writeFile(join(scratch, "tsconfig.json"), JSON.stringify(config));
  const compiled = await node(at("node_modules/typescript/bin/tsc"), "-p", scratch).catch((error: unknown) => error);
  expect(compiled).toMatchObject({ stdout: "" });
});

/** The source of a subpath of the package. */
const sourceOf = (name: string) => (name === "." ? "src/index.ts" : `src/api/${name.slice(2)}.ts`);

test("every subpath of the package is built from a source, and every source in src/api is a subpath", async () => {
  const subpaths = Object.entries(packageJson.exports).filter(([, target]) => typeof target !== "string");
  for (const [name, target] of subpaths) {
    const built = `./${sourceOf(name).replace("src/", "dist/").replace(".ts", "")}`;
    expect(target).toEqual({ types: `${built}.d.ts`, default: `${built}.js` });
  }
  const sources = (await readdir(at("src/api"))).map((file) => `src/api/${file}`);
  expect(subpaths.map(([name]) => sourceOf(name)).sort()).toEqual([...sources, "src/index.ts"].sort());
});

describe("studies", () => {
  test("every example is valid and listed, and bears its file's name", async () => {
    const files = (await readdir(at("examples"))).filter((file) => file.endsWith(".yaml"));
    const list = await read("examples/README.md");
    for (const file of files) {
      expect(`${(await readStudy(at("examples", file))).study.name}.yaml`).toBe(file);
      expect(list).toContain(`(${file})`);
    }
  });

  test("the study in README.md is valid", async () => {
    const [text] = blocks(await read("README.md"), "yaml");
    expect(parseYamlConfig(StudySchema, text!, "README.md").data.kind).toBe("folder");
  });

  test("those in docs/howto/own-model.md are valid", async () => {
    const [whole, part] = blocks(await read("docs/howto/own-model.md"), "yaml");
    expect(parseYamlConfig(StudySchema, whole!, "own-model.md").model).toMatchObject({ kind: "onnx" });
    const rest = whole!.replace(/^model: .*\n/m, "");
    expect(parseYamlConfig(StudySchema, `${rest}${part}`, "own-model.md").model).toMatchObject({ kind: "vgg16_bn" });
  });

  test("docs/commands.md is what the program says (else: npm run schema)", async () => {
    expect(await read("docs/commands.md")).toBe(tight(commandPage()));
  });

  test("docs/study-file.md is what the schema says (else: npm run schema)", () =>
    node("scripts/study-file.mjs", "--check"));

  test("FEATURES.md has every attack's settings and costs as code and records have them (else: npm run schema)", () =>
    node("scripts/attack-costs.mjs", "--check"));
});

describe("docs/ci.md", () => {
  test("lists every metric that a gate knows, and no other", async () => {
    const rows = [
      ...(await read("docs/ci.md"))
        .split("\n## Metrics\n")[1]!
        .matchAll(/^\| `([a-z]+[.\w-]*(?:<name>)?)`(?:, such as `[^`]+`)? \| ([^|]+) \| (\S+) \|$/gm),
    ];
    const families = METRIC_FAMILIES.map(({ prefix, summary }) => [`${prefix}<name>`, summary]);
    expect(rows.map(([, name, meaning]) => [name, meaning])).toEqual([
      ...namedMetrics.map(({ name, summary }) => [name, summary]),
      ...families,
    ]);
    const better = rows.map(([, , , side]) => side).slice(0, namedMetrics.length);
    expect(better).toEqual(namedMetrics.map((metric) => metric.better ?? "–"));
  });

  test("its gate is valid in a study", async () => {
    const [gate] = blocks(await read("docs/ci.md"), "yaml");
    const [minimal] = blocks(await read("README.md"), "yaml");
    expect(parseYamlConfig(StudySchema, `${minimal}${gate}`, "ci.yaml").gate?.max).toEqual({
      "attack.top1": 0.3,
      "attack.top5": 0.6,
    });
  });

  test("its jobs are YAML", async () => {
    const page = await read("docs/ci.md");
    const jobs = [...blocks(page, "yaml github"), ...blocks(page, "yaml gitlab")];
    expect(jobs.map((job) => Object.keys(parse(job) as object)[0])).toEqual(["name", "inversion"]);
  });
});

// npm 10 goes by this mark alone: with it, `npm ci` without a network fails in that script.
test("the lock file asks for no install script of a dependency (else: take hasInstallScript out again)", async () => {
  const lock = JSON.parse(await read("package-lock.json")) as { packages: Record<string, { hasInstallScript?: true }> };
  const marked = Object.entries(lock.packages).filter(([, entry]) => entry.hasInstallScript);
  expect(marked.map(([name]) => name)).toEqual([]);
});

describe("the README's numbers", () => {
  const MARKED =
    "before\n<!-- quickstart-cost:begin -->\n<!-- quickstart-cost:end -->\n<!-- quickstart:begin -->\nold\n<!-- quickstart:end -->\nafter\n";
  const run = { status: "COMPLETED", attempts: 1, started: "2026-01-01T10:00:00Z", ended: "2026-01-01T10:07:05Z" };
  const undefended = cell();
  const defended = cell({ defense: "tl-dmi", attackAccuracy: { value: 0.31, n: 250, low: 0.26, high: 0.36 } });

  async function written(record: object): Promise<string> {
    const readme = join(scratch, "README.md");
    await writeFile(readme, MARKED);
    await writeFile(join(scratch, "study.json"), JSON.stringify(study([undefended, defended])));
    await writeFile(join(scratch, "run.json"), JSON.stringify(record));
    await node("scripts/readme-results.mjs", scratch, "--memory", "1.25", "--readme", readme);
    return tight((await readFile(readme, "utf8")).replaceAll("\u00a0", " "));
  }

  test("are written between the markers, with intervals and floors, and nothing else changes", async () => {
    const text = await written(run);
    expect(text).toMatch(
      /^before\n<!-- quickstart-cost:begin -->\nMeasured: 7 min 05 s [^\n]*, peak memory 1\.[23] GiB\.\n/,
    );
    expect(text).toContain(
      "| tl-dmi | layer2 | 92.8 % [90.8, 94.8] | kedmi | **31.0 % [26.0, 36.0]** | 4.0 % [2.0, 6.0] | 24.0 % [19.0, 29.0] |",
    );
    expect(text).toContain("| no defense | – | 94.0 % [92.0, 96.0] | kedmi | **71.0 % [66.0, 76.0]** |");
    expect(text).not.toContain("old");
    expect(text.endsWith("<!-- quickstart:end -->\nafter\n")).toBe(true);
  });

  test("say no time of a run that was resumed", async () => {
    expect(await written({ ...run, attempts: 2 })).toContain(
      "<!-- quickstart-cost:begin -->\n<!-- quickstart-cost:end -->",
    );
  });
});
