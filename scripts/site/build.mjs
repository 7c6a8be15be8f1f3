// Writes the documentation as a static site: the pages of navigation.mjs, what they link to, one style sheet.
// Usage: node scripts/site/build.mjs [--root DIR] [--out DIR]   exit code 1, with one line for each, where a link leads nowhere
import { cp, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { collect } from "./collect.mjs";
import { STYLE } from "./layout.mjs";
import { navigation } from "./navigation.mjs";
import { isMarkdown } from "./paths.mjs";
import { writeSite } from "./write.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const { values } = parseArgs({
  options: { root: { type: "string", default: join(here, "../..") }, out: { type: "string" } },
});
const root = resolve(values.root);
const out = resolve(values.out ?? join(root, "site"));

const { files, faults } = await collect(root, navigation);
const docs = (await readdir(join(root, "docs"), { recursive: true })).map(
  (name) => `docs/${name.replaceAll("\\", "/")}`,
);
for (const file of docs)
  if (isMarkdown(file) && !files.has(file)) faults.push(`${file}: not in the navigation (scripts/site/navigation.mjs)`);
if (faults.length > 0) {
  console.error(faults.join("\n"));
  process.exitCode = 1;
} else {
  const unfinished = `${out}.tmp`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  const pages = await writeSite({ root, out: unfinished, files, navigation });
  await cp(join(here, STYLE), join(unfinished, STYLE));
  await rm(out, { recursive: true, force: true });
  await rename(unfinished, out);
  console.log(`${pages} pages in ${out}`);
}
