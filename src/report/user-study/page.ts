import { createHash } from "node:crypto";
import { FONT_FAMILY } from "../charts.ts";
import { html, toMarkup, trusted } from "../escape.ts";
import { styleSheet } from "../style.ts";

/** What a participant sees of one question: three pictures as data URIs. */
export interface ShownQuestion {
  readonly question: number;
  readonly reference: string;
  readonly A: string;
  readonly B: string;
}

const STYLE = `
main{max-width:760px}
section+section{border:0;margin:0}
.trio{display:grid;grid-template-columns:1fr 1fr;gap:20px;justify-items:center;margin:18px 0}
.trio figure{margin:0;width:100%;text-align:center}
.trio .reference{grid-column:1/-1}
.trio img{width:100%;max-width:224px;aspect-ratio:1;object-fit:contain;image-rendering:pixelated;background:var(--well)}
.trio .reference img{max-width:192px}
button{font:inherit;padding:9px 20px;border:1px solid var(--line);border-radius:6px;background:var(--well);color:var(--ink);cursor:pointer}
button:hover,button:focus-visible{border-color:var(--c1)}
.choice{width:100%;max-width:224px;margin-top:8px}
.choice[aria-pressed=true]{border-color:var(--c1);box-shadow:inset 0 0 0 1px var(--c1)}
input{font:inherit;padding:8px 10px;border:1px solid var(--line);border-radius:6px;background:var(--paper);color:var(--ink)}
progress{width:100%;height:6px;accent-color:var(--c1)}
.turn{display:flex;justify-content:space-between;align-items:center;gap:12px}
textarea{width:100%;height:140px;font:12px ui-monospace,monospace;background:var(--well);color:var(--ink);border:1px solid var(--line)}
[hidden]{display:none!important}`;

// The page asks, keeps answers in memory and hands them to the participant. It sends nothing anywhere.
const SCRIPT = `
const data = JSON.parse(document.getElementById("questions").textContent);
const part = (id) => document.getElementById(id);
const answers = new Map();
let at = 0;
let since = 0;
const show = (id) => { for (const name of ["start", "ask", "end"]) part(name).hidden = name !== id; };
function ask() {
  const question = data.questions[at];
  for (const name of ["reference", "A", "B"]) part(name).src = question[name];
  part("place").textContent = "Question " + (at + 1) + " of " + data.questions.length;
  part("done").value = at;
  part("back").disabled = at === 0;
  const chosen = answers.get(question.question)?.choice;
  for (const side of ["A", "B"]) part("choose" + side).setAttribute("aria-pressed", String(chosen === side));
  since = performance.now();
  show("ask");
}
function choose(choice) {
  const { question } = data.questions[at];
  const before = answers.get(question)?.seconds ?? 0;
  const seconds = Math.round((before + (performance.now() - since) / 1000) * 10) / 10;
  answers.set(question, { question, choice, seconds });
  at += 1;
  if (at < data.questions.length) ask();
  else finish();
}
function finish() {
  const record = { schemaVersion: 1, pack: data.pack, participant: part("participant").value.trim(), answers: [...answers.values()] };
  const text = JSON.stringify(record, undefined, 2);
  part("text").value = text;
  part("save").href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  part("save").download = "answers-" + data.pack + "-" + record.participant.replace(/[^\\w-]+/g, "_") + ".json";
  show("end");
}
part("begin").addEventListener("submit", (event) => { event.preventDefault(); ask(); });
for (const side of ["A", "B"]) part("choose" + side).addEventListener("click", () => choose(side));
part("back").addEventListener("click", () => { at -= 1; ask(); });
part("again").addEventListener("click", () => { at = data.questions.length - 1; ask(); });
document.addEventListener("keydown", (event) => {
  if (part("ask").hidden || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "a" || event.key === "A" || event.key === "ArrowLeft") choose("A");
  if (event.key === "b" || event.key === "B" || event.key === "ArrowRight") choose("B");
});
`;

const scriptHash = createHash("sha256").update(SCRIPT).digest("base64");
const POLICY = `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${scriptHash}'`;

/** Data in a script element: nothing in it can end the element. */
const inScript = (value: unknown) => trusted(JSON.stringify(value).replaceAll("<", "\\u003c"));

/** The page that participants open: one file that asks nothing of the network. It does not know where an image comes from. */
export function renderUserStudyPage(pack: string, questions: readonly ShownQuestion[]): string {
  return toMarkup(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>Which image looks more like the person?</title>
<style>${trusted(styleSheet(FONT_FAMILY))}${trusted(STYLE)}</style>
</head>
<body>
<main>
<section id="start">
<h1>Which image looks more like the person?</h1>
<p>You will be asked ${questions.length} times. Each time you see a picture of a person, and below it two images, A and B. Choose the one that looks more like that person. If both are poor, choose the less poor one. Take as long as you want; you can go back.</p>
<p>At the end you save a file with your choices. This page sends nothing.</p>
<form id="begin"><p><label>Your name or number, as you were told<br><input id="participant" required autocomplete="off" maxlength="60"></label></p>
<p><button>Begin</button></p></form>
</section>
<section id="ask" hidden aria-live="polite">
<p class="turn"><span id="place"></span><button id="back" type="button">Back</button></p>
<progress id="done" max="${questions.length}" value="0" aria-label="Answered"></progress>
<div class="trio">
<figure class="reference"><img id="reference" alt="The person"><figcaption>The person</figcaption></figure>
<figure><img id="A" alt="Image A"><button class="choice" id="chooseA" type="button">A looks more like them</button></figure>
<figure><img id="B" alt="Image B"><button class="choice" id="chooseB" type="button">B looks more like them</button></figure>
</div>
<p class="quiet">Keys: A or ←, B or →</p>
</section>
<section id="end" hidden>
<h1>Thank you</h1>
<p>Save your answers, and send the file to whoever asked you.</p>
<p><a id="save">Save the answers</a></p>
<details><summary>The same as text, to copy</summary><textarea id="text" readonly aria-label="Answers"></textarea></details>
<p><button id="again" type="button">Back to the last question</button></p>
</section>
</main>
<script type="application/json" id="questions">${inScript({ pack, questions })}</script>
<script>${trusted(SCRIPT)}</script>
</body>
</html>
`);
}
