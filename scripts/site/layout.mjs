// What stands around every page: title, navigation, contents. No script, nothing from elsewhere.
import { escapeHtml } from "./highlight.mjs";
import { addressFrom } from "./paths.mjs";

export const STYLE = "site.css";

/** Where on this page: its second headings, for pages that have some. */
function contents(headings) {
  const parts = headings.filter(({ level }) => level === 2);
  if (parts.length < 3) return "";
  const items = parts.map(({ id, text }) => `<li><a href="#${id}">${escapeHtml(text)}</a></li>`);
  return `<nav class="contents" aria-label="On this page"><ul>${items.join("")}</ul></nav>\n`;
}

function pagesNav(page, groups) {
  const item = ({ page: other, title }) => {
    const current = other === page ? ' aria-current="page"' : "";
    return `<li><a href="${addressFrom(page, other)}"${current}>${escapeHtml(title)}</a></li>`;
  };
  const parts = groups.map(
    ({ group, entries }) => `<h2>${escapeHtml(group)}</h2>\n<ul>\n${entries.map(item).join("\n")}\n</ul>`,
  );
  return `<nav class="pages" id="all-pages" aria-label="All pages">\n${parts.join("\n")}\n</nav>`;
}

/**
 * One page as a whole document.
 * @param page its place in the site
 * @param groups the navigation: groups of entries with page and title
 */
export function document({ page, title, html, headings, groups }) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title === "tl-dmi" ? title : `${title} · tl-dmi`)}</title>
<link rel="stylesheet" href="${addressFrom(page, STYLE)}">
</head>
<body>
<header><a href="${addressFrom(page, "index.html")}">tl-dmi</a> <a class="to-pages" href="#all-pages">All pages</a></header>
<main>
${contents(headings)}${html}</main>
${pagesNav(page, groups)}
</body>
</html>
`;
}
