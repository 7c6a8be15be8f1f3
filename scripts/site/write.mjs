// Writes the pages that were collected: Markdown as pages, studies and the like as pages with their text, the rest as copies.
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, extname, join, posix } from "node:path";
import { placeOf } from "./collect.mjs";
import { codeBlock, escapeHtml } from "./highlight.mjs";
import { document } from "./layout.mjs";
import { isShown, pageOf } from "./paths.mjs";

/** A heading and what follows it, for files that have no heading of their own. */
const titled = (title, html) => ({ title, headings: [], html: `<h1>${escapeHtml(title)}</h1>\n${html}` });

/** @returns how many pages were written. */
export async function writeSite({ root, out, files, navigation }) {
  const groups = navigation.map(({ group, files: listed }) => ({
    group,
    entries: listed.map((file) => ({
      page: placeOf(file, files),
      title: files.get(file).title ?? posix.basename(file),
    })),
  }));
  const copy = async (file) => {
    await mkdir(dirname(join(out, file)), { recursive: true });
    await cp(join(root, file), join(out, file));
  };
  let pages = 0;
  for (const [file, entry] of files) {
    const page = placeOf(file, files);
    let content;
    if (entry.kind === "markdown") content = entry.render();
    else if (entry.kind === "folder") {
      const links = entry.names.map((name) => `<li><a href="${encodeURIComponent(name)}">${escapeHtml(name)}</a></li>`);
      content = titled(file, `<ul>\n${links.join("\n")}\n</ul>\n`);
      for (const name of entry.names) await copy(`${file}/${name}`);
    } else if (isShown(file)) {
      const text = await readFile(join(root, file), "utf8");
      content = titled(file, codeBlock(text, extname(file).slice(1)));
    } else await copy(pageOf(file));
    if (content === undefined) continue;
    await mkdir(dirname(join(out, page)), { recursive: true });
    await writeFile(join(out, page), document({ page, groups, ...content }));
    pages++;
  }
  return pages;
}
