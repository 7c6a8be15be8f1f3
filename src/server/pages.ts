import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import type { Hono } from "hono";
import { UserError } from "../engine/errors.ts";
import { FONT_FAMILY } from "../report/charts.ts";
import { themes } from "../report/style.ts";
import { renderSvg } from "../report/svg.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Paths that the page's script reads; each is answered by the same document. */
const PAGES = ["/", "/run/:study", "/run/:study/:cell", "/compare", "/new"];

const LOGIN = `body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 ${FONT_FAMILY}}
.login{max-width:22rem;margin:15vh auto;padding:0 18px}.login form{display:grid;gap:10px}
.login input,.login button{font:inherit;padding:8px 12px;border:1px solid var(--muted);border-radius:6px;background:var(--paper);color:var(--ink)}
.login button{background:var(--ink);color:var(--paper);cursor:pointer}.login p{margin:0;color:var(--bad)}
`;

/** The page's own files: read once, so that no request's path reaches the disk. */
export async function addPages(app: Hono, webDir: string): Promise<void> {
  const names = await readdir(webDir, { recursive: true }).catch(() => []);
  const files = new Map<string, { readonly body: Uint8Array<ArrayBuffer>; readonly type: string }>();
  for (const name of names) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const body = new Uint8Array(await readFile(join(webDir, name)));
    files.set(`/${name.replaceAll("\\", "/")}`, { body, type });
  }
  const document = files.get("/index.html");
  if (document === undefined) throw new UserError(`${webDir}: the page is not there; build it with \`npm run build\``);
  for (const path of PAGES) app.get(path, (c) => c.body(document.body, 200, { "Content-Type": document.type }));
  app.get("/theme.css", (c) =>
    c.body(`${themes}\n:root{--font:${FONT_FAMILY}}\n${LOGIN}`, 200, { "Content-Type": TYPES[".css"] ?? "" }),
  );
  // Their names hold a hash of what is in them.
  app.get("/assets/*", (c) => {
    const file = files.get(c.req.path);
    if (file === undefined) return c.notFound();
    return c.body(file.body, 200, {
      "Content-Type": file.type,
      "Cache-Control": "private, max-age=31536000, immutable",
    });
  });
}

/** What a browser may load for the page: its own files, and the one style that Plot writes into each chart. */
export function pagePolicy(): string {
  const [, style = ""] = /<style>([\s\S]*?)<\/style>/.exec(renderSvg({ marks: [] }, "")) ?? [];
  const hash = createHash("sha256").update(style).digest("base64");
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'sha256-${hash}'`,
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
