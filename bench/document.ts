import { count, fixed } from "../src/report/numbers.ts";
import { growthSections } from "./growth.ts";
import { NONE, table } from "./markdown.ts";
import { obstacles } from "./obstacles.ts";
import type { Allocator } from "./peer.ts";
import type { Result, Row } from "./result.ts";
import { gibibytes, milliseconds, share, timeWithSpread } from "./text.ts";
import { verdicts } from "./verdicts.ts";

function rivalCells(row: Row, allocator: Allocator): string[] {
  const rival = row[allocator];
  if (rival === undefined) return [NONE, NONE];
  const { median, low, high } = rival.ratio;
  return [
    `${timeWithSpread(rival.ms)}, ${rival.layout.replace("_", " ")}`,
    `**${fixed(median, 2)}** (${fixed(low, 2)}–${fixed(high, 2)})`,
  ];
}

function mainTable(rows: readonly Row[], peakGflops: number): string {
  const titles = [
    "case",
    "tl-dmi",
    "PyTorch, tuned",
    "ratio",
    "PyTorch, default",
    "ratio",
    "share of peak",
    "images/s",
    "memory",
    "PyTorch's memory (tuned, default)",
    "goals",
  ];
  const cells = rows.map((row) => {
    const { ours, flops, images } = row;
    return [
      `\`${row.id}\``,
      timeWithSpread(ours.ms),
      ...rivalCells(row, "tuned"),
      ...rivalCells(row, "default"),
      flops === undefined ? NONE : `${fixed(100 * share(flops, ours.ms.median, peakGflops), 0)} %`,
      images === undefined ? NONE : count((images / ours.ms.median) * 1000),
      gibibytes(ours.peakBytes),
      [row.tuned, row.default].map((rival) => (rival === undefined ? NONE : gibibytes(rival.peakBytes))).join(", "),
      verdicts(row, peakGflops)
        .map(({ goal, reached }) => `${reached ? "✓" : "✗"} ${goal}`)
        .join("; ") || NONE,
    ];
  });
  return table(titles, cells);
}

function triedTable(rows: readonly Row[]): string {
  const cells = rows.flatMap((row) =>
    row.tried.map(({ allocator, layout, ms, ratio, reason }) => [
      `\`${row.id}\``,
      allocator,
      layout.replace("_", " "),
      ms === undefined ? (reason ?? NONE).replaceAll("|", "\\|") : milliseconds(ms),
      ratio === undefined ? NONE : fixed(ratio, 2),
    ]),
  );
  return table(["case", "allocator", "form", "median", "ratio"], cells);
}

function goalsLine(rows: readonly Row[], peakGflops: number): string {
  const all = rows.flatMap((row) => verdicts(row, peakGflops));
  const missed = rows.flatMap((row) =>
    verdicts(row, peakGflops)
      .filter(({ reached }) => !reached)
      .map(({ goal }) => `\`${row.id}\`: ${goal}`),
  );
  const head = `${all.length - missed.length} of ${all.length} goals are reached.`;
  return missed.length === 0 ? head : `${head} Not reached:\n\n${missed.map((line) => `- ${line}`).join("\n")}`;
}

/** docs/performance.md: every row with its goals marked, the growth curves, and what of the peer was tried. */
export function performancePage(result: Result): string {
  const { machine, versions, threads, peakGflops, rows, started } = result;
  const compared = rows.filter((row) => row.growth === undefined || row.tuned !== undefined);
  const [missed, grown] = [obstacles(result), growthSections(rows)];
  const peer =
    versions.torch === undefined
      ? "No PyTorch was there, so this package was measured alone."
      : `PyTorch ${versions.torch} on Python ${versions.python}.`;
  const parts = [
    "# Performance",
    `Measured on ${started.slice(0, 10)}: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB; ${threads} threads. ` +
      `tl-dmi ${versions.package} on Node ${versions.node} with ONNX Runtime ${versions.onnxruntime}. ${peer} ` +
      "This page is made by `npm run bench:doc` from the newest file in bench/results; how it is measured is in " +
      "[bench/README.md](../bench/README.md).",
    "## Goals",
    goalsLine(rows, peakGflops),
    "## Steps and jobs",
    "Medians, with the 10 % and 90 % quantiles in brackets. A ratio is PyTorch's time over ours, above 1 where tl-dmi is faster; " +
      "_tuned_ is PyTorch in its strongest form under an allocator that keeps freed memory, _default_ its strongest as installed. " +
      `The peak is ${fixed(peakGflops, 0)} GFLOP/s, the best rate of a large matrix product through the runtime, a lower bound of what the ` +
      "machine can do. Memory is the peak of a whole process, with its language and libraries.",
    mainTable(compared, peakGflops),
    ...(missed === "" ? [] : [missed]),
    ...(grown === ""
      ? []
      : [
          "## How time and memory grow",
          "The pictures show medians of time and peaks of memory as multiples of the first point's; the dashed line is what grows as the size does.",
          grown,
        ]),
    ...(rows.some((row) => row.tried.length > 0) ? ["## Forms of PyTorch that were tried", triedTable(rows)] : []),
  ];
  return `${parts.join("\n\n")}\n`;
}
