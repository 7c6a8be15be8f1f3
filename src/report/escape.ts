/** Not a string key, so that no value read from JSON can pass for markup. */
const MARKUP = Symbol("markup");

/** Markup that is safe to put into the page as it is. Made by `html` and `trusted` only. */
export interface Html {
  readonly [MARKUP]: string;
}

/** What a template may hold. Strings and numbers are escaped; lists are joined; `null`, `undefined` and `false` vanish. */
export type HtmlPart = string | number | boolean | Html | null | undefined | readonly HtmlPart[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as it may stand between tags and inside a quoted attribute. */
export function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/** Marks text as markup. Only for what this package has made itself: style sheets, SVG of `renderSvg`. */
export function trusted(markup: string): Html {
  return { [MARKUP]: markup };
}

function isHtml(part: HtmlPart): part is Html {
  return typeof part === "object" && part !== null && MARKUP in part;
}

function write(part: HtmlPart): string {
  if (part === null || part === undefined || part === false) return "";
  if (isHtml(part)) return part[MARKUP];
  if (Array.isArray(part)) return part.map(write).join("");
  return escapeText(String(part));
}

/** A template of markup: what is written stays, what is put in is escaped unless it is `Html` itself. */
export function html(strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  return trusted(strings.reduce((text, string, i) => text + write(parts[i - 1]) + string));
}

/** The markup as a string. */
export function toMarkup(part: Html): string {
  return part[MARKUP];
}
