import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Curve } from "./result.ts";

type Row = Readonly<Record<string, number | string>>;

/** The training curves that a step logged, one for each thing that it trained. Of an attack, the first batch of latents stands for all. */
export async function readCurves(dir: string, name: string, seed: number): Promise<Curve[]> {
  const text = await readFile(join(dir, "metrics.jsonl"), "utf8").catch(() => "");
  const rows = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Row)
    .filter((row) => row.batch === undefined || row.batch === 0);
  const parts = [...new Set(rows.map(partOf))];
  return parts.map((part) =>
    curve(
      parts.length > 1 ? `${name}: ${part}` : name,
      seed,
      rows.filter((row) => partOf(row) === part),
    ),
  );
}

const partOf = (row: Row) => String(row.training ?? row.attack ?? "");

const LABELS: Readonly<Record<string, string>> = { score: "accuracy, training", validation: "accuracy, validation" };

function curve(name: string, seed: number, rows: readonly Row[]): Curve {
  const at = ["epoch", "step", "iteration"].find((key) => rows[0]![key] !== undefined) ?? "step";
  const keys = Object.keys(rows[0]!).filter((key) => !["training", "attack", "batch", at].includes(key));
  return {
    name,
    seed,
    xLabel: at === "epoch" ? "epoch" : "step",
    series: keys.map((key) => ({
      name: LABELS[key] ?? key,
      points: rows.map((row) => [Number(row[at]), Number(row[key])] as const),
    })),
  };
}
