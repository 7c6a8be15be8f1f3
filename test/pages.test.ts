import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { StudySchema } from "../src/study/study-schema.ts";
import { parseYamlConfig } from "../src/study/yaml-config.ts";
import { readPages } from "./support/documented-commands.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

test.each(await readPages())("$page links to files that exist", ({ page, text }) => {
  const links = [...text.matchAll(/(?<!!)\[[^\]]+\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, path]) => decodeURI(path!));
  const own = links.filter((path) => !/^[a-z]+:/.test(path));
  expect(own.filter((path) => !existsSync(join(root, dirname(page), path)))).toEqual([]);
});

test("the tutorial's study is valid", async () => {
  const tutorial = await readFile(join(root, "docs/tutorial.md"), "utf8");
  const [, yaml] = /^```yaml\n([\s\S]*?)^```$/m.exec(tutorial)!;
  expect(parseYamlConfig(StudySchema, yaml!, "tutorial.md").gate?.max).toEqual({ "attack.top1": 0.3 });
});
