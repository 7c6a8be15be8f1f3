// One Markdown page as HTML, with the anchors that it has and the links that it makes. Anchors are GitHub's, so that a link holds in both.
import GithubSlugger from "github-slugger";
import { Marked } from "marked";
import { codeBlock, escapeHtml } from "./highlight.mjs";

/** What a reader sees of tokens, without their marks. */
const plain = (tokens) => tokens.map((token) => (token.tokens ? plain(token.tokens) : token.text)).join("");

/**
 * @param text the page
 * @param rewrite gives a link's or picture's address in the site
 * @returns html, title (the first heading), headings (level, text, id)
 * @throws Error for HTML in the page: what is not Markdown would stand in the site unchecked.
 */
export function renderMarkdown(text, rewrite) {
  const slugger = new GithubSlugger();
  const headings = [];
  const renderer = {
    heading({ tokens, depth }) {
      const words = plain(tokens);
      const id = slugger.slug(words);
      headings.push({ level: depth, text: words, id });
      const link = `<a class="anchor" href="#${id}" aria-label="Link to ${escapeHtml(words)}">#</a>`;
      return `<h${depth} id="${id}">${this.parser.parseInline(tokens)} ${link}</h${depth}>\n`;
    },
    link({ href, tokens }) {
      return `<a href="${escapeHtml(rewrite(href))}">${this.parser.parseInline(tokens)}</a>`;
    },
    image({ href, text: alt }) {
      return `<img src="${escapeHtml(rewrite(href))}" alt="${escapeHtml(alt.replaceAll("\n", " "))}">`;
    },
    code({ text: code, lang }) {
      return codeBlock(code, lang?.split(" ")[0]);
    },
    table(token) {
      const cell = (tag, { tokens, align }) =>
        `<${tag}${align ? ` class="${align}"` : ""}>${this.parser.parseInline(tokens)}</${tag}>`;
      const head = token.header.map((entry) => cell("th", entry)).join("");
      const rows = token.rows.map((row) => `<tr>${row.map((entry) => cell("td", entry)).join("")}</tr>`);
      const table = `<table><thead><tr>${head}</tr></thead><tbody>\n${rows.join("\n")}\n</tbody></table>`;
      // Wide tables scroll by themselves, and by keyboard: a page at 375 px does not.
      return `<div class="table" role="region" aria-label="Table" tabindex="0">${table}</div>\n`;
    },
    html({ text: html }) {
      if (html.replaceAll(/<!--[\s\S]*?-->/g, "").trim() !== "") throw new Error(`HTML in the page: ${html.trim()}`);
      return "";
    },
  };
  const html = new Marked({ renderer }).parse(text);
  return { html, title: headings[0]?.text, headings };
}
