import * as Plot from "@observablehq/plot";
import sharp from "sharp";
import { expect, test } from "vitest";
import { cell, rate, study } from "../../test/support/study-result.ts";
import {
  attributeRows,
  attributesChart,
  colorOf,
  curveChart,
  curvePanels,
  identitiesChart,
  identityPairs,
  utilityLeakageChart,
} from "./charts.ts";
import { conditionsOf } from "./conditions.ts";
import { renderSvg, svgFile } from "./svg.ts";

const cells = [cell(), cell({ defense: "tl-dmi", attackAccuracy: rate(0.41) })];
const conditions = conditionsOf(cells);
const [undefended, defended] = conditions;
if (undefended === undefined || defended === undefined) throw new Error("expected two conditions");

const curves = study([], {
  curves: [
    {
      name: "target none",
      seed: 1,
      xLabel: "epoch",
      series: [
        {
          name: "training loss",
          points: [
            [1, 3.98765432],
            [2, 1.23456789],
            [3, Number.NaN],
          ],
        },
        {
          name: "validation accuracy",
          points: [
            [1, 0.3],
            [2, 0.777777],
          ],
        },
      ],
    },
    {
      name: "target none",
      seed: 2,
      xLabel: "epoch",
      series: [
        {
          name: "training loss",
          points: [
            [1, 3],
            [2, 1],
          ],
        },
      ],
    },
  ],
}).curves;

const charts: [string, Plot.PlotOptions][] = [
  ["utility and leakage", utilityLeakageChart(conditions, 680)],
  ["utility and leakage, narrow", utilityLeakageChart(conditions, 340)],
  ["utility and leakage, names beside", utilityLeakageChart(conditions, 900, "beside")],
  ["identities", identitiesChart(undefended, defended, 1000)],
  ["identities alone", identitiesChart(undefended, undefined, 340)],
  [
    "attributes",
    attributesChart(
      attributeRows(conditions).filter(({ unit }) => unit === "accuracy"),
      500,
    ),
  ],
  [
    "attributes as numbers",
    attributesChart(
      attributeRows(conditions).filter(({ unit }) => unit !== "accuracy"),
      500,
    ),
  ],
  ...curvePanels(curves).map((panel): [string, Plot.PlotOptions] => [`curve ${panel.unit}`, curveChart(panel, 330)]),
];

test.each(charts)("the chart of %s stands alone, speaks, and has numbers of three places at most", (_, options) => {
  const svg = renderSvg(options, 'what it "shows"');
  expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  expect(svg).toMatch(/^<svg [^>]*role="img"/);
  expect(svg).toMatch(/^<svg [^>]*aria-label="what it &quot;shows&quot;"/);
  expect(svg).toMatch(/^<svg [^>]*font-family="/);
  expect(svg).not.toMatch(/\d\.\d{4}/);
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  // Plot marks a chart that it warns about.
  expect(svg).not.toContain("⚠");
  expect(svg.replace("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:/);
});

test.each(charts)("the chart of %s is an SVG file that other programs can read", async (_, options) => {
  const { width, format } = await sharp(Buffer.from(renderSvg(options, "a < b & c"))).metadata();
  expect([format, width]).toEqual(["svg", options.width]);
  await sharp(Buffer.from(renderSvg(options, "a < b & c")))
    .png()
    .toBuffer();
});

test("names beside the plot have room, however long they are", () => {
  const named = (label: string) => conditions.map((condition) => ({ ...condition, label }));
  const room = (label: string) => utilityLeakageChart(named(label), 900, "beside").marginRight!;
  const long = "bido-coco (lambdaX 0.2, lambdaY 10)";
  expect(room("none")).toBe(160);
  expect(room(long)).toBeGreaterThan(6 * long.length);
});

test("the same numbers give the same drawing", () => {
  const draw = () => renderSvg(utilityLeakageChart(conditions, 680), "chart");
  expect(draw()).toBe(draw());
});

test("every point has its name in a file that no legend comes with", () => {
  const svg = renderSvg(utilityLeakageChart(conditions, 900, "beside"), "chart");
  for (const { label } of conditions) expect(svg).toContain(`>${label.replaceAll("&", "&amp;")}<`);
});

test("rounding leaves spoken text and short numbers alone", () => {
  const svg = renderSvg({ width: 100, height: 50, marks: [Plot.dot([[1 / 3, 0.5]])] }, "0.123456 seconds");
  expect(svg).toContain('aria-label="0.123456 seconds"');
});

test("colours are CSS variables, so that a page decides on light and dark", () => {
  const svg = renderSvg(utilityLeakageChart(conditions, 680), "chart");
  expect(svg).toContain("var(--c0)");
  expect(svg).toContain("var(--c1)");
  expect(svg).not.toMatch(/(fill|stroke)="#/);
});

test("a chart in a file of its own says what each colour is, in both themes", () => {
  const svg = svgFile(utilityLeakageChart(conditions, 680), "a > b");
  const used = new Set(svg.match(/var\(--[a-z0-9]+\)/g));
  for (const use of used) {
    const name = use.slice("var(".length, -1);
    if (!name.startsWith("--plot")) expect(svg.split(`${name}:`).length - 1, name).toBeGreaterThanOrEqual(2);
  }
  expect(svg).toMatch(/^<svg [^>]*><style>/);
});

test("defenses beyond the palette never take the undefended model's colour", () => {
  expect(Array.from({ length: 30 }, (_, i) => colorOf(i + 1))).not.toContain("var(--c0)");
  expect(colorOf(0)).toBe("var(--c0)");
});

test("where colours come again, marks are open", () => {
  const many = conditionsOf(["none", ..."abcdefgh"].map((defense) => cell({ defense, boundary: null })));
  const svg = renderSvg(utilityLeakageChart(many, 680), "");
  const points = [...svg.matchAll(/<path [^>]*d="[^"]+"[^>]*>/g)].map(([mark]) => mark);
  const filled = (color: string) => points.filter((mark) => mark.includes(`fill="${color}"`)).length;
  const open = points.filter((mark) => mark.includes(`fill="var(--paper)"`));
  expect([filled("var(--c1)"), filled("var(--c2)"), open.length]).toEqual([1, 1, 1]);
  expect(open[0]).toContain(`stroke="${colorOf(8)}"`);
  expect(colorOf(8)).toBe(colorOf(1));
});

test("the utility axis holds every interval and stays within 0 … 100", () => {
  const edge = conditionsOf([cell({ naturalAccuracy: { value: 0.99, n: 100, low: 0.95, high: 1 } })]);
  const domain = utilityLeakageChart(edge, 680).x?.domain;
  const [low, high] = [...(domain ?? [])];
  expect(low).toBeLessThanOrEqual(95);
  expect(high).toBe(100);
});

test("floors of several attacks share one name where they lie together and have two where they do not", () => {
  const floors = (selection: number) => ({ randomPrior: rate(0.04), initialSelection: rate(selection) });
  const draw = (selection: number) =>
    renderSvg(
      utilityLeakageChart(
        conditionsOf([cell({ floors: floors(0.24) }), cell({ attack: "gmi", floors: floors(selection) })]),
        680,
      ),
      "chart",
    );
  expect(draw(0.26)).toContain("initial selection 24–26<");
  expect(draw(0.5)).toContain("initial selection 24, kedmi<");
  expect(draw(0.5)).toContain("initial selection 50, gmi<");
});

test("identities are sorted by the first condition and paired by class label, averaged over seeds", () => {
  const identity = (label: number, attackAccuracy: number) => ({
    identity: `p${label}`,
    label,
    naturalAccuracy: 1,
    attackAccuracy,
    attackAccuracyTop5: 1,
    knnDistance: 1,
  });
  const [first, second] = conditionsOf([
    cell({ seed: 1, identities: [identity(0, 0.2), identity(1, 0.8)] }),
    cell({ seed: 2, identities: [identity(0, 0.4), identity(1, 1)] }),
    cell({ seed: 1, defense: "tl-dmi", identities: [identity(1, 0.6)] }),
  ]);
  if (first === undefined) throw new Error("expected a condition");
  const pairs = identityPairs(first, second);
  expect(pairs.map(({ identity: name, second: value }) => [name, value])).toEqual([
    ["p1", 0.6],
    ["p0", undefined],
  ]);
  expect(pairs[0]?.first).toBeCloseTo(0.9, 12);
  expect(pairs[1]?.first).toBeCloseTo(0.3, 12);
});

test("curves of one training share panels by kind of quantity, over seeds", () => {
  const panels = curvePanels(curves);
  expect(panels.map(({ title, unit, names, lines }) => [title, unit, names, lines.length])).toEqual([
    ["target none", "number", ["training loss"], 2],
    ["target none", "share", ["validation accuracy"], 1],
  ]);
  expect(panels[0]?.lines[0]?.points).toHaveLength(2);
});
