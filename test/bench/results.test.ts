import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cases } from "../../bench/cases.ts";
import { conditionsOf } from "../../bench/conditions.ts";
import { performancePage } from "../../bench/document.ts";
import { growthPictures } from "../../bench/growth.ts";
import type { Profile, Result, Row } from "../../bench/result.ts";
import { type Conditions, newestResult, openResult, readResult } from "../../bench/result-file.ts";
import { timeToReach, verdicts } from "../../bench/verdicts.ts";
import { renderSvg } from "../../src/report/svg.ts";

const spread = (median: number) => ({ median, low: median * 0.9, high: median * 1.1 });

const row = (id: string, changes: Partial<Row> = {}): Row => ({
  id,
  goals: { tuned: 1.3, default: 2.5, peak: 0.75 },
  images: 64,
  flops: 30e9,
  ours: { ms: spread(100), peakBytes: 2 ** 30 },
  tuned: { layout: "channels_last", ms: spread(131), peakBytes: 2 ** 31, ratio: spread(1.31) },
  default: { layout: "compile", ms: spread(240), peakBytes: 2 ** 30, ratio: spread(2.4) },
  tried: [{ allocator: "tuned", layout: "compile", reason: "no compiler | none" }],
  ...changes,
});

const conditions: Conditions = {
  format: "tl-dmi bench 1",
  selection: "standard",
  machine: { cpu: "a processor", cores: 2, memoryGiB: 24 },
  versions: { package: "0.1.0 abc", node: "20.19.0", onnxruntime: "1.30.0", torch: "2.13.0", python: "3.11.7" },
  threads: 2,
};
const now = { now: new Date("2026-01-02T03:04:05Z"), peakGflops: 400 };

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bench-results-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("a result on disk", () => {
  test("keeps each finished case, so that a killed run goes on where it stopped", async () => {
    const first = await openResult(folder, conditions, now);
    await first.add(row("a"));
    await first.add(row("b"));

    const told: string[] = [];
    const later = { now: new Date("2026-01-02T09:00:00Z"), peakGflops: 380 };
    const second = await openResult(folder, conditions, later, (what) => told.push(what));
    expect(second.rows.map(({ id }) => id)).toEqual(["a", "b"]);
    expect(second.peakGflops).toBe(400);
    expect(told).toEqual(["going on after 2 finished cases"]);
    await second.add(row("c"));
    const path = await second.finish(410);

    expect(await readdir(folder)).toEqual(["2026-01-02T0304.json"]);
    const whole = await readResult(path);
    expect(whole.rows.map(({ id }) => id)).toEqual(["a", "b", "c"]);
    expect(whole.rows[0]).toEqual(row("a"));
    expect(whole.peakGflops, "the highest").toBe(410);
    expect(whole.started).toBe("2026-01-02T03:04:05.000Z");
  });

  test.each<[string, Partial<Conditions>]>([
    ["version", { versions: { ...conditions.versions, package: "0.2.0" } }],
    ["machine", { machine: { ...conditions.machine, cores: 4 } }],
    ["selection", { selection: "gmi" }],
    ["peer", { versions: { package: "0.1.0 abc", node: "20.19.0", onnxruntime: "1.30.0" } }],
  ])("is not mixed with one of another %s", async (_, changed) => {
    await (await openResult(folder, conditions, now)).add(row("a"));
    const told: string[] = [];
    const next = await openResult(folder, { ...conditions, ...changed }, now, (what) => told.push(what));
    expect(next.rows).toEqual([]);
    expect(told.join()).toContain("starting anew");
  });

  test("is the newest of all standard cases for the page, never an unfinished or partial one", async () => {
    await expect(newestResult(folder)).rejects.toThrow("npm run bench makes one");
    const finished = async (day: string, selection: string) => {
      const result = await openResult(
        folder,
        { ...conditions, selection },
        { ...now, now: new Date(`${day}T00:00:00Z`) },
      );
      await result.add(row(`${day} ${selection}`));
      return result.finish(0);
    };
    await finished("2026-02-01", "standard");
    await finished("2026-01-01", "standard");
    await finished("2026-03-01", "gmi");
    await (await openResult(folder, conditions, now)).add(row("unfinished"));
    expect((await newestResult(folder)).result.rows[0]!.id).toBe("2026-02-01 standard");
  });

  test("that is none is named", async () => {
    await writeFile(join(folder, "x.json"), "{}");
    await expect(readResult(join(folder, "x.json"))).rejects.toThrow(/x\.json: not a result of the benchmark/);
  });
});

test("goals are judged by the median ratio, the share of the peak and the peer's lower memory", () => {
  // 30 GFLOP in 100 ms are 300 GFLOP/s, three quarters of 400.
  expect(verdicts(row("a"), 400)).toEqual([
    { goal: "1.3× of tuned PyTorch", reached: true, within: expect.closeTo(131 / 1.3) },
    { goal: "2.5× of default PyTorch", reached: false, within: expect.closeTo(240 / 2.5) },
    { goal: "75 % of peak", reached: true, within: expect.closeTo(100) },
    { goal: "PyTorch's memory", reached: true },
  ]);
  expect(timeToReach(row("a"), 400)).toBeCloseTo(240 / 2.5);
  expect(timeToReach(row("a", { goals: { tuned: 1.3, default: 2.4, peak: 0.75 } }), 400)).toBeUndefined();
  const heavier = row("a", { ours: { ms: spread(101), peakBytes: 2 ** 30 + 1 } });
  expect(verdicts(heavier, 400).map(({ reached }) => reached)).toEqual([true, false, false, false]);
  const { tuned: _, default: __, ...alone } = row("a");
  expect(verdicts(alone, 400)).toEqual([{ goal: "75 % of peak", reached: true, within: expect.closeTo(100) }]);
  const start = { id: "start", goals: { seconds: 0.3 }, ours: { ms: spread(310), peakBytes: 1 }, tried: [] };
  expect(verdicts(start, 400)).toEqual([{ goal: "0.3 s", reached: false }]);
  expect(timeToReach(start, 400), "the graph is not what a start waits for").toBeUndefined();
});

describe("the page", () => {
  const grown = (at: number, ms: number): Row => {
    const { tuned: _, default: __, ...rest } = row(`growth/${at}`);
    const ours = { ms: spread(ms), peakBytes: at * 2 ** 24 };
    return { ...rest, goals: {}, tried: [], images: at, ours, growth: { along: "batch", curve: "a step", at } };
  };
  const result: Result = {
    ...conditions,
    started: "2026-01-02T03:04:05.000Z",
    peakGflops: 400,
    rows: [row("gmi/b64"), grown(64, 300), grown(16, 100)],
  };
  const page = performancePage(result);

  test("has machine, versions, every comparison with its goals, and those that were missed on top", () => {
    expect(page).toContain("a processor, 2 cores, 24 GiB; 2 threads");
    expect(page).toContain("PyTorch 2.13.0 on Python 3.11.7");
    expect(page).toContain("3 of 4 goals are reached. Not reached:\n\n- `gmi/b64`: 2.5× of default PyTorch\n");
    expect(page).toContain(
      "| `gmi/b64` | 100 ms (90.0 ms–110 ms) | 131 ms (118 ms–144 ms), channels last | **1.31** (1.18–1.44) |",
    );
    expect(page).toContain("| 75 % | 640 | 1.00 GiB | 2.00 GiB, 1.00 GiB | ✓ 1.3× of tuned PyTorch; ✗ 2.5× of default");
    expect(page).toContain("| `gmi/b64` | tuned | compile | no compiler \\| none | – |");
  });

  test("shows each curve in order of its size, with growth from its first point", () => {
    expect(page).toContain("### A step, against batch");
    const lines = page.split("\n").filter((line) => /^\| (16|64) \|/.test(line));
    expect(lines).toEqual([
      "| 16 | 100 ms (90.0 ms–110 ms) | 6.25 ms | 1.00× | 0.25 GiB | 1.00× |",
      "| 64 | 300 ms (270 ms–330 ms) | 4.69 ms | 3.00× | 1.00 GiB | 4.00× |",
    ]);
  });

  test("draws each curve under a name that stays, on logarithmic axes where the sizes are powers", () => {
    const [picture, ...others] = growthPictures(result.rows);
    expect(others).toEqual([]);
    expect(picture!.path).toBe("images/growth-a-step-against-batch.svg");
    expect(page).toContain(`![${picture!.label}](${picture!.path})`);
    const scale = (sizes: number[]) => {
      const chart = growthPictures(sizes.map((at) => grown(at, at)))[0]?.chart;
      return [chart?.x?.type, chart?.y?.type];
    };
    expect(scale([16, 64, 256])).toEqual(["log", "log"]);
    expect(scale([10, 20, 30])).toEqual(["linear", "linear"]);
    const svg = renderSvg(picture!.chart, picture!.label);
    // The second point is at four times the size, with three times the time and four times the memory.
    expect([...svg.matchAll(/>(time|memory)<\/text>/g)].map(([, name]) => name)).toEqual(["time", "memory"]);
    expect(svg).not.toContain("var(--");
    expect(growthPictures([grown(16, 100)]), "one point is no curve").toEqual([]);
  });

  test("says whether memory grew where it should not", () => {
    const loading = (at: number, peakBytes: number): Row => ({
      ...grown(at, 100),
      ours: { ms: spread(100), peakBytes },
      growth: { along: "images", curve: "loading", at, ...(at >= 1000 && { level: true }) },
    });
    const said = (last: number) =>
      performancePage({ ...result, rows: [loading(100, 1), loading(1000, 2 ** 30), loading(100_000, last)] });
    const sizes = "between 1\u202f000 and 100\u202f000 images";
    expect(said(2 ** 31)).toContain(`Memory grew ${sizes}: by 1.00 GiB, 2.00×.`);
    expect(said(1.04 * 2 ** 30)).toContain(`Memory did not grow ${sizes}: the difference is 0.04 GiB, 1.04×.`);
    expect(said(2 ** 29)).toContain(`Memory did not grow ${sizes}: the difference is −0.50 GiB, 0.50×.`);
    expect(page).not.toMatch(/Memory (?:grew|did not grow)/);
    const flagged = cases.flatMap(({ id, growth }) => (growth?.level === true ? [id] : []));
    expect(flagged).toEqual(["load/64px/1000-images", "load/64px/100000-images"]);
  });

  test("says of each case that misses a goal of speed what its time goes into", () => {
    const profile: Profile = {
      ms: 120,
      products: 60,
      others: 54,
      kinds: [
        { kind: "Conv", ms: 60, calls: 40 },
        { kind: "Add", ms: 48, calls: 1200 },
      ],
      rest: { kinds: 3, ms: 6, calls: 9 },
    };
    const missed = (rows: Row[]) => performancePage({ ...result, rows }).split("## What stands in the way")[1];
    const text = missed([row("gmi/b64", { profile }), row("fast", { goals: { tuned: 1.3 } })])!;
    expect(text).toContain("| `gmi/b64` | 120 ms | Conv 50 % (40), Add 40 % (1\u202f200) | 3 kinds 5 % (9) |");
    // 30 GFLOP at 400 GFLOP/s are 75 ms; in 60 ms of products they are 500 GFLOP/s.
    expect(text).toContain(
      "- `gmi/b64` takes 100 ms, its goals allow 96.0 ms. Its arithmetic alone takes 75.0 ms at the peak, 75 % of its time. " +
        "50 % of its time under the profiler lies in products, 45 % in nodes that only move or combine memory, 5 % between nodes. " +
        "While products run, they reach 125 % of the peak.",
    );
    expect(text).not.toContain("`fast` takes");
    expect(missed([row("fast", { goals: { tuned: 1.3 } })])).toBeUndefined();
    expect(missed([row("gmi/b64")])).toContain("75 % of its time. It was not profiled.");
  });

  test("says so where no peer was there", () => {
    const { torch: _, python: __, ...versions } = conditions.versions;
    expect(performancePage({ ...result, versions })).toContain("measured alone");
  });
});

test("what a result says of the machine is its processor, cores and memory, and no path", () => {
  const found = conditionsOf("standard", {
    file: "/somewhere/python",
    python: "3.11.7",
    torch: "2.13.0",
    compiler: true,
  });
  expect(Object.keys(found.machine)).toEqual(["cpu", "cores", "memoryGiB"]);
  expect(found.versions).toMatchObject({ node: process.versions.node, torch: "2.13.0", python: "3.11.7" });
  expect(JSON.stringify(found)).not.toContain("/somewhere");
});
