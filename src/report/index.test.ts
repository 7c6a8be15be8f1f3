import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cell, judgesOf, metricsOf, rate, study } from "../../test/support/study-result.ts";
import { UserError } from "../engine/errors.ts";
import type { CellResult, StudyResult } from "../study/result.ts";
import { writeReport } from "./index.ts";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "report-"));
});
afterAll(() => rm(root, { recursive: true }));

async function drawImages(run: string, labels: readonly number[], count: number): Promise<void> {
  for (const label of labels) {
    const folder = join(run, "artifacts", "images", String(label));
    await mkdir(folder, { recursive: true });
    for (let k = 0; k < count; k++) {
      const background = { r: 20 * label, g: 40 * k, b: 128 };
      await sharp({ create: { width: 8, height: 8, channels: 3, background } })
        .png()
        .toFile(join(folder, `${k}.png`));
    }
  }
}

async function report(name: string, result: StudyResult, includePrivate = false): Promise<string> {
  const folder = join(root, name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "study.json"), JSON.stringify(result));
  const path = await writeReport(folder, { includePrivate });
  expect(path).toBe(join(folder, "report", "index.html"));
  return readFile(path, "utf8");
}

const pair = (overrides: Partial<CellResult> = {}) => [
  cell({ ...overrides, identityCount: 3 }),
  cell({ ...overrides, identityCount: 3, defense: "tl-dmi", attackAccuracy: rate(0.41) }),
];

test("the page asks for nothing outside itself and runs no script", async () => {
  await drawImages(join(root, "alone", "runs", "none-kedmi-1"), [0, 1, 2], 5);
  const page = await report("alone", study(pair()));
  expect(page).not.toMatch(/<script|<link|<iframe|@import|\son\w+=/i);
  for (const [, target] of page.matchAll(/(?:src|href)="([^"]*)"/g)) expect(target).toMatch(/^#/);
  for (const [, target] of page.matchAll(/url\(([^)]*)\)/g)) expect(target).toMatch(/^data:image\/(png|webp);base64,/);
  expect(page.replaceAll('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(/https?:\/\//);
  expect(page).toContain("default-src &#39;none&#39;");
});

test("every section is there and every link of the navigation leads to one", async () => {
  const curves = [
    { name: "target none", seed: 1, xLabel: "epoch", series: [{ name: "loss", points: [[1, 2]] }] },
  ] as const;
  const page = await report("sections", study(pair(), { curves }));
  const links = [...page.matchAll(/<a href="#([^"]*)"/g)].map(([, id]) => id);
  expect(links).toEqual([
    "summary",
    "trade-off",
    "reconstructions",
    "identities",
    "attributes",
    "training",
    "reading",
    "timings",
    "provenance",
    "configuration",
  ]);
  for (const id of links) expect(page).toContain(`<section id="${id}"`);
});

test("sections of judges and further metrics are there where a study has them", async () => {
  const measured = { metrics: metricsOf(0.5), realImages: metricsOf(1), judges: judgesOf(0.5) };
  const page = await report("judged", study(pair(measured)));
  const links = [...page.matchAll(/<a href="#([^"]*)"/g)].map(([, id]) => id);
  expect(links.slice(0, 4)).toEqual(["summary", "trade-off", "judges", "measures"]);
  expect(page).toContain("How far resnet18 and face matcher 2.1 agree with it is said under Judges.");
  expect(page).not.toMatch(/NaN|undefined|\bnull\b|\[object/);
});

test("run folders are found by relative and by absolute paths", async () => {
  const absolute = join(root, "elsewhere", "run");
  await drawImages(absolute, [0, 1, 2], 5);
  await drawImages(join(root, "paths", "runs", "relative"), [0, 1, 2], 5);
  const [first, second] = pair();
  const cells = [
    { ...first, run: absolute },
    { ...second, run: join("runs", "relative") },
  ] as CellResult[];
  const page = await report("paths", study(cells));
  expect([...page.matchAll(/background-image:url\(data:/g)]).toHaveLength(2);
  expect(page).not.toContain("no image");
  // The machine's paths are nobody's business who reads the report.
  expect(page).not.toContain(root);
});

test("missing images are said to be missing, each strip has words", async () => {
  const run = join(root, "missing", "runs", "none-kedmi-1");
  await drawImages(run, [0], 5);
  await drawImages(run, [1], 2);
  const page = await report("missing", study(pair()));
  expect(page).toContain('aria-label="Reconstructions of person 00 by kedmi, no defense"');
  expect(page).toContain('aria-label="Reconstructions of person 01 by kedmi, no defense, 3 of 5 images missing"');
  expect(page).toContain("<small>3 missing</small>");
  // Person 02 of the undefended cell, and all three of the defended one.
  expect([...page.matchAll(/>no image</g)]).toHaveLength(4);
});

test("twelve identities are in view, the others open on demand", async () => {
  const page = await report("many identities", study([cell({ identityCount: 60 })]));
  expect(page).toContain("<summary>38 more identities</summary>");
  expect(page).toContain("10 further identities are not shown");
});

test("private images stay out unless they are asked for", async () => {
  const run = join(root, "private", "runs", "none-kedmi-1");
  await drawImages(run, [0, 1, 2], 5);
  await mkdir(join(run, "artifacts", "private"), { recursive: true });
  const image = sharp({ create: { width: 8, height: 8, channels: 3, background: "red" } });
  await image.png().toFile(join(run, "artifacts", "private", "0.png"));
  const without = await report("private", study(pair()));
  expect(without).toContain("Private reference images are left out on purpose");
  expect(without).not.toContain("Private image of");
  const withThem = await report("private", study(pair()), true);
  expect(withThem).toContain('aria-label="Private image of person 00"');
  expect(withThem).toContain("This file shows private images. Do not pass it on.");
  const none = await report("private, none there", study(pair()), true);
  expect(none).toContain("Private reference images were asked for, but the run folders hold none.");
});

test("names, messages and settings from the study are escaped", async () => {
  const evil = `</pre></style><script>alert("x")</script>`;
  const page = await report(
    "escape",
    study([cell({ defense: evil, attack: evil, boundary: evil }), cell({ attack: evil })], {
      name: evil,
      status: "partial",
      failed: [{ defense: evil, attack: evil, seed: 1, message: evil }],
      notes: [evil],
      provenance: { [evil]: evil },
      config: evil,
      curves: [
        {
          name: evil,
          seed: 1,
          xLabel: "step",
          series: [
            {
              name: evil,
              points: [
                [0, 1],
                [1, 2],
              ],
            },
          ],
        },
      ],
      timings: [{ step: evil, seconds: 1, reused: true }],
    }),
  );
  expect(page).not.toContain("<script");
  expect([...page.matchAll(/<\/pre>/g)]).toHaveLength(1);
});

test("one cell, no cell, and a grid with seeds all make a report", async () => {
  expect(await report("one", study([cell()]))).toContain("No defended model was attacked");
  const empty = await report("none", study([], { status: "partial", curves: [], timings: [] }));
  expect(empty).toContain("No cell of this study has finished");
  expect(empty).not.toContain('id="trade-off"');
  const grid = [1, 2, 3].flatMap((seed) => ["kedmi", "gmi"].flatMap((attack) => pair({ seed, attack })));
  const page = await report("grid", study(grid));
  expect([...page.matchAll(/>mean of 3</g)]).toHaveLength(4);
  expect(page).toContain("Images are of seed 1;");
});

test("numbers that could not be measured are dashes, not words of a programming language", async () => {
  const broken = { value: Number.NaN, n: 0, low: Number.NaN, high: Number.NaN };
  const page = await report(
    "broken",
    study([cell({ knnDistance: broken }), cell({ defense: "tl-dmi", knnDistance: broken })]),
  );
  expect(page).not.toMatch(/NaN|undefined|\bnull\b|\[object/);
});

test("a study that cannot be read is a user's mistake, named with its path", async () => {
  await expect(writeReport(join(root, "nowhere"), { includePrivate: false })).rejects.toThrow(UserError);
  await mkdir(join(root, "text"), { recursive: true });
  await writeFile(join(root, "text", "study.json"), "{");
  await expect(writeReport(join(root, "text"), { includePrivate: false })).rejects.toThrow(/study\.json: not JSON/);
  await writeFile(join(root, "text", "study.json"), '{"schemaVersion":2}');
  await expect(writeReport(join(root, "text"), { includePrivate: false })).rejects.toThrow(/schemaVersion 1, got 2/);
});
