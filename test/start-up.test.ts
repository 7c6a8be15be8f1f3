import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));
const IMPORT = /^(?:import|export)\s+(?!type\b)(?:[^;"']*?\bfrom\s+)?["']([^"']+)["']/gm;

/** The packages that are loaded with a module of src, whatever is done with it: each with the chain of files that leads to it. */
async function packagesWith(entry: string): Promise<Record<string, string>> {
  const ways = new Map([[join(root, "src", entry), entry]]);
  const found: Record<string, string> = {};
  // A map's entries that are set meanwhile are visited too.
  for (const [file, way] of ways) {
    for (const [, specifier] of (await readFile(file, "utf8")).matchAll(IMPORT)) {
      if (specifier!.startsWith(".")) {
        const next = join(dirname(file), specifier!);
        if (!ways.has(next)) ways.set(next, `${way} > ${specifier}`);
      } else if (!specifier!.startsWith("node:")) found[packageOf(specifier!)] ??= way;
    }
  }
  return found;
}

const packageOf = (specifier: string) => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)![0];

test("--version and --help load the names of the commands alone", async () => {
  const packages = Object.keys(await packagesWith("cli/main.ts")).sort();
  expect(packages).toEqual(["@commander-js/extra-typings", "commander", "picocolors"]);
});

test("a plan loads what reads and checks a study, no decoder, no drawing and no native library", async () => {
  const packages = Object.keys(await packagesWith("study/open-plan.ts")).sort();
  expect(packages).toEqual(["@bufbuild/protobuf", "facesjs", "onnx-buf", "pure-rand", "yaml", "zod"]);
});

test("the looking sees what is imported, and through other files", async () => {
  const packages = await packagesWith("data/faces/studio.ts");
  expect(packages["@resvg/resvg-js"]).toBe("data/faces/studio.ts > ./draw.ts");
  expect(packages).toHaveProperty("@dicebear/core");
});

test("the program's files find what ships with the package", async () => {
  const chunks = (await readdir(join(root, "dist/chunks"))).filter((name) => name.endsWith(".js"));
  const files = ["dist/cli/main.js", ...chunks.map((name) => `dist/chunks/${name}`)];
  const named = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(root, file), "utf8");
      const paths = [...text.matchAll(/new URL\("(\.[^"]+)", import\.meta\.url\)/g)].map(([, path]) => path!);
      return paths.map((path) => join(dirname(file), path));
    }),
  );
  const paths = new Set(named.flat());
  expect([...paths].sort()).toEqual(
    expect.arrayContaining(["assets", "dist/chunks/studio-thread.js", "dist/cli/main.js", "dist/web", "package.json"]),
  );
  expect([...paths].filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
