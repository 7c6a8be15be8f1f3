// Code with class names for colours: those of highlight.js, which site.css knows.
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import ini from "highlight.js/lib/languages/ini";
import json from "highlight.js/lib/languages/json";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import yaml from "highlight.js/lib/languages/yaml";

for (const [name, language] of Object.entries({ bash, ini, json, sql, typescript, yaml }))
  hljs.registerLanguage(name, language);
hljs.registerAliases("conf", { languageName: "ini" });

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
export const escapeHtml = (text) => text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character]);

/** A block of code that can be scrolled by keyboard; a language that is not known is shown as it is. */
export function codeBlock(text, language = "") {
  const known = hljs.getLanguage(language) !== undefined;
  const html = known ? hljs.highlight(text, { language }).value : escapeHtml(text);
  return `<pre tabindex="0"><code class="hljs">${html}</code></pre>\n`;
}
