import { expect, test } from "vitest";
import { type HtmlPart, html, toMarkup, trusted } from "./escape.ts";

test("text put into a template is escaped, in content and in attributes", () => {
  const name = `<script>alert("1")</script> & 'co'`;
  expect(toMarkup(html`<p title="${name}">${name}</p>`)).toBe(
    `<p title="&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;co&#39;">&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;co&#39;</p>`,
  );
});

test("markup made by a template is not escaped again, and lists are joined", () => {
  const items = ["a", "<b>"].map((item) => html`<li>${item}</li>`);
  expect(toMarkup(html`<ul>${items}</ul>`)).toBe("<ul><li>a</li><li>&lt;b&gt;</li></ul>");
});

test("nothing is written for null, undefined and false, while 0 and the empty string stay", () => {
  expect(toMarkup(html`[${null}${undefined}${false}${0}${""}]`)).toBe("[0]");
});

test("an object out of a JSON file cannot pass for markup", () => {
  const forged: HtmlPart = JSON.parse('{"markup":"<script>","Symbol(markup)":"<script>"}');
  expect(toMarkup(html`${forged}`)).not.toContain("<script>");
});

test("trusted markup stays as it is", () => {
  expect(toMarkup(html`${trusted("<svg/>")}`)).toBe("<svg/>");
});
