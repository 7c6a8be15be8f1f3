import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { appendFile, cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parseHTML } from "linkedom";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));
const execute = promisify(execFile);
const build = (...args: string[]) => execute(process.execPath, [join(root, "scripts/site/build.mjs"), ...args]);
const SOURCES = ["README.md", "docs", "configs", "schema", "examples", "studies", "bench/README.md", "LICENSE"];
const MORE = ["FEATURES.md", "SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md"];

let scratch = "";
let site = "";
let pages: { readonly path: string; readonly document: ReturnType<typeof parseHTML>["document"] }[] = [];
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "site-"));
  site = join(scratch, "site");
  await build("--out", site);
  const names = (await readdir(site, { recursive: true })).filter((name) => name.endsWith(".html"));
  pages = await Promise.all(
    names.map(async (path) => ({ path, document: parseHTML(await readFile(join(site, path), "utf8")).document })),
  );
});
afterAll(() => rm(scratch, { recursive: true }));

/** Where a page's relative link leads: file and anchor, both in the site. */
function target(page: string, href: string) {
  const [path, anchor] = href.split("#");
  return { file: path === "" ? page : relative(site, join(site, dirname(page), decodeURIComponent(path!))), anchor };
}

describe("the site", () => {
  test("has a page for every page of docs/, and each is reached from the navigation of every page", async () => {
    const docs = (await readdir(join(root, "docs"), { recursive: true })).filter((name) => name.endsWith(".md"));
    const wanted = docs.map((name) => `docs/${name.replace("README.md", "index.md").replace(/\.md$/, ".html")}`);
    expect(pages.length).toBeGreaterThan(wanted.length + 10);
    for (const { path, document } of pages) {
      const links = [...document.querySelectorAll("nav.pages a")].map(
        (a) => target(path, a.getAttribute("href")!).file,
      );
      expect(links, path).toEqual(expect.arrayContaining(wanted));
      expect(new Set(links).size).toBe(links.length);
    }
  });

  test("lists pages in the order of docs/README.md", async () => {
    const text = await readFile(join(root, "docs/README.md"), "utf8");
    const order = [...new Set([...text.matchAll(/\]\(([\w/-]+)\.md\)/g)].map(([, name]) => `docs/${name}.html`))];
    const { path, document } = pages[0]!;
    const links = [...document.querySelectorAll("nav.pages a")].map((a) => target(path, a.getAttribute("href")!).file);
    expect(links.filter((link) => order.includes(link))).toEqual(order);
  });

  test("has no link to a page or heading that is not there", () => {
    const ids = new Map(
      pages.map(({ path, document }) => [path, new Set([...document.querySelectorAll("[id]")].map(({ id }) => id))]),
    );
    const lost = pages.flatMap(({ path, document }) =>
      [...document.querySelectorAll("a[href], img[src], link[href]")].flatMap((node) => {
        const href = (node.getAttribute("href") ?? node.getAttribute("src"))!;
        if (/^(https?|mailto):/.test(href)) return [];
        const { file, anchor } = target(path, href);
        const there = existsSync(join(site, file)) && (anchor === undefined || ids.get(file)?.has(anchor));
        return there ? [] : [`${path}: ${href}`];
      }),
    );
    expect(lost).toEqual([]);
  });

  test("loads nothing from elsewhere and runs no script", async () => {
    for (const { path, document } of pages) {
      expect([...document.querySelectorAll("script, iframe, object, style, [style], [onclick]")], path).toEqual([]);
      for (const node of document.querySelectorAll("[src], link"))
        expect(node.getAttribute("src") ?? node.getAttribute("href"), path).not.toMatch(/^([a-z]+:|\/)/i);
    }
    expect(await readFile(join(site, "site.css"), "utf8")).not.toMatch(/url\(|@import/);
  });

  test("says of every page its language, title and width, has one first heading, and words for every picture", () => {
    for (const { path, document } of pages) {
      expect(document.documentElement.getAttribute("lang"), path).toBe("en");
      expect(document.title, path).toMatch(/\S/);
      expect(document.querySelector('meta[name="viewport"]')?.getAttribute("content"), path).toContain("device-width");
      expect(document.querySelectorAll("h1").length, path).toBe(1);
      for (const picture of document.querySelectorAll("img"))
        expect(picture.getAttribute("alt"), path).toMatch(/\w{3}/);
      const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
      expect(new Set(ids).size, path).toBe(ids.length);
      expect(document.querySelectorAll("nav.pages [aria-current]").length, path).toBeLessThanOrEqual(1);
    }
  });

  test("colours code by class names, and shows studies as pages", () => {
    const page = (path: string) => pages.find((entry) => entry.path === path)!.document;
    expect(page("index.html").querySelector("code .hljs-keyword")?.textContent).toBe("import");
    expect(page("examples/demo.yaml.html").querySelector("code .hljs-attr")?.textContent).toBe("name:");
  });
});

test("a link that leads nowhere, a heading that is not there, HTML, and a page outside the navigation fail the build", async () => {
  const copy = join(scratch, "copy");
  for (const source of [...SOURCES, ...MORE]) await cp(join(root, source), join(copy, source), { recursive: true });
  const broken = "\n[a](nowhere.md) [b](ci.md#no-such-heading) [c](../../outside.md)\n";
  await appendFile(join(copy, "docs/method.md"), broken);
  await appendFile(join(copy, "docs/fisher.md"), "\n<b>bold</b>\n");
  await appendFile(join(copy, "docs/lonely.md"), "# Lonely\n");
  const out = join(scratch, "broken");
  const failed: unknown = await build("--root", copy, "--out", out).catch((error: unknown) => error);
  expect(failed).toMatchObject({ code: 1 });
  expect((failed as { stderr: string }).stderr.trim().split("\n")).toEqual([
    "docs/fisher.md: HTML in the page: <b>",
    "docs/method.md: link to nowhere.md: no such file",
    "docs/method.md: link to ../../outside.md: no such file",
    "docs/method.md: link to ci.md#no-such-heading: no such heading there",
    "docs/lonely.md: not in the navigation (scripts/site/navigation.mjs)",
  ]);
  expect(existsSync(out)).toBe(false);
});
