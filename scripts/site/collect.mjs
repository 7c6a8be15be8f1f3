// Which files the site holds: those of the navigation, and whatever a page of it links to. Every link is checked on the way.
import { readdir, readFile, stat } from "node:fs/promises";
import { join, posix } from "node:path";
import { renderMarkdown } from "./markdown.mjs";
import { addressFrom, isMarkdown, pageOf } from "./paths.mjs";

const OUTSIDE = /^(https?:|mailto:)/;
const LISTING = "index.html";

/**
 * @returns files: each file of the site with its kind ("markdown" with headings and render(), "folder" with names, "file"), and faults: a
 *   line for each link that leads nowhere.
 */
export async function collect(root, navigation) {
  const files = new Map();
  const faults = [];
  const links = [];
  const listed = new Set(navigation.flatMap((group) => group.files));

  async function addPage(file) {
    const text = await readFile(join(root, file), "utf8");
    const targetOf = (href) => {
      const [path, anchor] = href.split("#");
      const target = path === "" ? file : posix.join(posix.dirname(file), decodeURIComponent(path)).replace(/\/$/, "");
      return { target, anchor };
    };
    const note = (href) => {
      if (!OUTSIDE.test(href)) links.push({ file, href, ...targetOf(href) });
      return href;
    };
    // Called once every file of the site is known, and with it where it lies.
    const rewrite = (href) => {
      if (OUTSIDE.test(href)) return href;
      const { target, anchor } = targetOf(href);
      const address = target === file ? "" : addressFrom(pageOf(file), placeOf(target, files));
      return anchor === undefined ? address : `${address}#${anchor}`;
    };
    files.set(file, { kind: "broken" });
    try {
      const { title, headings } = renderMarkdown(text, note);
      files.set(file, { kind: "markdown", title, headings, render: () => renderMarkdown(text, rewrite) });
    } catch (error) {
      // marked adds a line with its own address.
      faults.push(`${file}: ${error.message.split("\n")[0]}`);
    }
  }

  async function add(file) {
    if (files.has(file)) return true;
    const found = file.startsWith("..") ? undefined : await stat(join(root, file)).catch(() => undefined);
    if (found === undefined) return false;
    if (found.isDirectory()) {
      const names = (await readdir(join(root, file), { withFileTypes: true })).filter((entry) => entry.isFile());
      files.set(file, { kind: "folder", names: names.map(({ name }) => name).sort() });
    } else if (isMarkdown(file)) await addPage(file);
    else files.set(file, { kind: "file" });
    return true;
  }

  for (const file of listed)
    if (!(await add(file))) faults.push(`${file}: in the navigation, but there is no such file`);
  // A page that is linked must be listed, so no new page comes in here.
  for (const { file, href, target } of links) {
    if (isMarkdown(target) && !listed.has(target) && (await stat(join(root, target)).catch(() => undefined)))
      faults.push(`${file}: links to ${href}, which is not in the navigation`);
    else if (!(await add(target))) faults.push(`${file}: link to ${href}: no such file`);
  }
  for (const { file, href, target, anchor } of links) {
    const page = files.get(target);
    if (anchor !== undefined && page !== undefined && !page.headings?.some(({ id }) => id === anchor))
      faults.push(`${file}: link to ${href}: no such heading there`);
  }
  return { files, faults: [...new Set(faults)] };
}

/** Where a file, or a folder's listing, lies in the site. */
export const placeOf = (file, files) => (files.get(file)?.kind === "folder" ? `${file}/${LISTING}` : pageOf(file));
