import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import vm from "node:vm";
import { parseHTML } from "linkedom";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cell, study } from "../../../test/support/study-result.ts";
import type { CellResult } from "../../study/result.ts";
import { makeUserStudy, scoreUserStudy } from "./index.ts";
import type { Answers, Key } from "./key.ts";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "user-study-"));
});
afterAll(() => rm(root, { recursive: true }));

const PEOPLE = 7;
const EACH = 3;

async function png(path: string, r: number, g: number, b: number): Promise<void> {
  await sharp({ create: { width: 4, height: 4, channels: 3, background: { r, g, b } } })
    .png()
    .toFile(path);
}

/** A study's folder with the images of the given cells; red tells the cell, green the person, blue the reconstruction. */
async function place(name: string, cells: readonly CellResult[], { withPrivate = true } = {}): Promise<string> {
  const dir = join(root, name);
  for (const [i, { run }] of cells.entries()) {
    const artifacts = join(dir, run, "artifacts");
    await mkdir(join(artifacts, "private"), { recursive: true });
    for (let label = 0; label < PEOPLE; label++) {
      await mkdir(join(artifacts, "images", String(label)), { recursive: true });
      for (let k = 0; k < EACH; k++) {
        await png(join(artifacts, "images", String(label), `${k}.png`), 100 + i, label, k);
      }
      if (withPrivate) await png(join(artifacts, "private", `${label}.png`), 0, label, 0);
    }
  }
  await writeFile(join(dir, "study.json"), JSON.stringify(study(cells)));
  return dir;
}

const pair = [cell({ identityCount: PEOPLE }), cell({ identityCount: PEOPLE, defense: "tl-dmi" })];

/** What the test touches of an element. */
interface Part {
  value: string;
  readonly textContent: string;
  getAttribute(name: string): string | null;
  dispatchEvent(event: unknown): boolean;
}

interface Page {
  readonly pack: string;
  readonly questions: { question: number; reference: string; A: string; B: string }[];
}
const read = async (path: string) => JSON.parse(await readFile(path, "utf8")) as Key;
const shownIn = (html: string) =>
  JSON.parse(/<script type="application\/json" id="questions">(.*?)<\/script>/s.exec(html)![1]!) as Page;

async function pixel(uri: string): Promise<number[]> {
  const bytes = Buffer.from(uri.replace("data:image/png;base64,", ""), "base64");
  return [...(await sharp(bytes).raw().toBuffer()).subarray(0, 3)];
}

describe("a pack", () => {
  test("shows every person once, beside the same reconstruction of both models; the key alone knows which is which", async () => {
    const dir = await place("pack", pair);
    const out = join(root, "pack-out");
    const made = await makeUserStudy(dir, { out, seed: 1 });
    expect(made).toMatchObject({ questions: PEOPLE, conditions: ["no defense", "tl-dmi"] });
    const [html, key] = [await readFile(made.page, "utf8"), await read(made.key)];
    const page = shownIn(html);
    expect(page.pack).toBe(key.pack);
    expect(new Set(key.questions.map(({ label }) => label)).size).toBe(PEOPLE);
    for (const [i, { question, label, first, reconstruction }] of key.questions.entries()) {
      const shown = page.questions[i]!;
      expect(shown.question).toBe(question);
      expect(await pixel(shown.reference)).toEqual([0, label, 0]);
      const [ofFirst, ofSecond] = first === "A" ? [shown.A, shown.B] : [shown.B, shown.A];
      expect(await pixel(ofFirst)).toEqual([100, label, reconstruction]);
      expect(await pixel(ofSecond)).toEqual([101, label, reconstruction]);
    }
    for (const word of ["tl-dmi", "no defense", "person 0", "kedmi", "made-up"]) expect(html).not.toContain(word);
    expect(html).not.toMatch(/https?:\/\//);
  });

  test("has the first model left in half of the questions, in an order of its own for each seed", async () => {
    const dir = await place("order", pair);
    const make = async (seed: number) =>
      read((await makeUserStudy(dir, { out: join(root, `order-${seed}`), seed, questions: 6 })).key);
    const keys = [await make(1), await make(2), await make(3)];
    for (const { questions } of keys) expect(questions.filter(({ first }) => first === "A")).toHaveLength(3);
    expect(new Set(keys.map(({ questions }) => questions.map(({ label }) => label).join())).size).toBe(3);
    expect(await make(1)).toEqual(keys[0]);
    expect(new Set(keys.map(({ pack }) => pack)).size).toBe(3);
  });

  test("is refused where it is not clear what to compare, or there is nothing to compare with", async () => {
    const out = join(root, "refused-out");
    const gmi = pair.map((c) => ({ ...c, attack: "gmi", run: `${c.run}-gmi` }));
    const third = cell({ identityCount: PEOPLE, defense: "mid" });
    const several = await place("several", [...pair, ...gmi]);
    const three = await place("three", [...pair, third]);
    const bare = await place("bare", pair, { withPrivate: false });
    const make = (dir: string, options: object = {}) => makeUserStudy(dir, { out, seed: 1, ...options });
    await expect(make(several)).rejects.toThrow('several attacks, name one with --attack: "kedmi", "gmi"');
    await expect(make(several, { attack: "mid" })).rejects.toThrow('no attack "mid"; there are "kedmi", "gmi"');
    await expect(make(three)).rejects.toThrow('--compare: "no defense", "tl-dmi", "mid"');
    await expect(make(three, { conditions: ["mid", "none"] })).rejects.toThrow('no model "none"; there are');
    await expect(make(three, { conditions: ["mid", "mid"] })).rejects.toThrow("two different models");
    await expect(make(three, { conditions: ["mid"] })).rejects.toThrow("two different models");
    await expect(make(bare)).rejects.toThrow(/\d\.png: no private image .* run the study again with --include-private/);
    await expect(make(join(root, "nowhere"))).rejects.toThrow("study.json: cannot be read");
    expect(await make(three, { conditions: ["mid", "tl-dmi"] })).toMatchObject({ conditions: ["mid", "tl-dmi"] });
  });

  test("is a page that asks, lets go back, and saves what was chosen", async () => {
    const dir = await place("page", pair);
    const { page } = await makeUserStudy(dir, { out: join(root, "page-out"), seed: 1, questions: 3 });
    const html = await readFile(page, "utf8");
    const { document, window } = parseHTML(html);
    const script = [...document.querySelectorAll("script")].at(-1)!.textContent;
    // The policy lets this script run, and no other.
    const digest = createHash("sha256").update(script).digest("base64");
    expect(document.querySelector("meta[http-equiv]")!.getAttribute("content")).toContain(
      `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${digest}'`,
    );
    let time = 0;
    vm.runInNewContext(script, {
      document,
      performance: { now: () => time },
      URL: { createObjectURL: () => "blob:answers" },
      Blob,
    });
    const part = (id: string) => document.getElementById(id) as unknown as Part;
    const click = (id: string) => part(id).dispatchEvent(new window.Event("click"));
    part("participant").value = "P 1";
    part("begin").dispatchEvent(new window.Event("submit", { cancelable: true }));
    expect(part("place").textContent).toBe("Question 1 of 3");
    time += 2000;
    click("chooseA");
    time += 1000;
    click("chooseB");
    click("back");
    expect(part("place").textContent).toBe("Question 2 of 3");
    expect(part("chooseB").getAttribute("aria-pressed")).toBe("true");
    time += 500;
    click("chooseA");
    click("chooseB");
    const saved = JSON.parse(part("text").value) as Answers;
    expect(saved).toEqual({
      schemaVersion: 1,
      pack: shownIn(html).pack,
      participant: "P 1",
      answers: [
        { question: 1, choice: "A", seconds: 2 },
        { question: 2, choice: "A", seconds: 1.5 },
        { question: 3, choice: "B", seconds: 0 },
      ],
    });
  });
});

describe("a score", () => {
  const setUp = async (name: string) => {
    const dir = await place(name, pair);
    const out = join(root, `${name}-out`);
    const made = await makeUserStudy(dir, { out, seed: 1 });
    const key = await read(made.key);
    let files = 0;
    const save = async (value: unknown) => {
      const path = join(out, `answers-${files++}.json`);
      await writeFile(path, JSON.stringify(value));
      return path;
    };
    const answersOf = (participant: string, forFirst: (question: number) => boolean, answered = PEOPLE): Answers => ({
      schemaVersion: 1,
      pack: key.pack,
      participant,
      answers: key.questions.slice(0, answered).map(({ question, first }) => ({
        question,
        choice: forFirst(question) === (first === "A") ? "A" : "B",
        seconds: question,
      })),
    });
    return { out, key, save, answersOf };
  };

  test("counts choices for the first model, whatever side it stood on", async () => {
    const { out, save, answersOf } = await setUp("score");
    const files = [
      await save(answersOf("a", (question) => question !== 2)),
      await save(answersOf("b", (question) => question > 2, 4)),
    ];
    const score = await scoreUserStudy(out, files);
    expect(score).toMatchObject({
      conditions: ["no defense", "tl-dmi"],
      preference: { value: 8 / 11, n: 11 },
      participants: [
        { participant: "a", answered: 7, first: 6, seconds: 4 },
        { participant: "b", answered: 4, first: 2, seconds: 2.5 },
      ],
      questions: PEOPLE,
    });
    expect(score.preference.low).toBeLessThan(8 / 11);
    expect(score.preference.high).toBeGreaterThan(8 / 11);
  });

  test("shows somebody who chooses by side", async () => {
    const { out, key, save } = await setUp("side");
    const answers = key.questions.map(({ question }) => ({ question, choice: "A", seconds: 1 }));
    const file = await save({ schemaVersion: 1, pack: key.pack, participant: "a", answers });
    expect(await scoreUserStudy(out, [file])).toMatchObject({ left: { value: 1 } });
  });

  test("files that are no answers to the pack are refused with what is wrong", async () => {
    const { out, key, save, answersOf } = await setUp("wrong");
    const good = answersOf("a", () => true);
    const score = async (value: unknown) => scoreUserStudy(out, [await save(value)]);
    await expect(score({ ...good, pack: "other" })).rejects.toThrow(`answers to pack other, expected ${key.pack}`);
    await expect(score({ ...good, schemaVersion: 2 })).rejects.toThrow(/schemaVersion/);
    await expect(score({ ...good, answers: [{ question: 1, choice: "C", seconds: 1 }] })).rejects.toThrow(/choice/);
    const one = good.answers[0]!;
    await expect(score({ ...good, answers: [one, one] })).rejects.toThrow("question 1 is answered twice");
    await expect(score({ ...good, answers: [{ ...one, question: 99 }] })).rejects.toThrow("99 is not in the pack");
    await expect(score({ ...good, answers: [] })).rejects.toThrow("no question is answered");
    const twice = [await save(good), await save(good)];
    await expect(scoreUserStudy(out, twice)).rejects.toThrow('participant "a" has answered in');
    await expect(scoreUserStudy(root, twice)).rejects.toThrow("key.json: expected the key of a pack");
    await expect(scoreUserStudy(out, [join(out, "index.html")])).rejects.toThrow("expected answers that the page");
  });
});
