import { count, fixed } from "../src/report/numbers.ts";
import { type GrowthCurve, growthChart } from "./growth-chart.ts";
import { NONE, table } from "./markdown.ts";
import type { Row } from "./result.ts";
import { gibibytes, milliseconds, timeWithSpread } from "./text.ts";

/** A curve of the benchmark: its rows in the order of their size. */
interface Curve {
  readonly title: string;
  readonly along: string;
  readonly points: readonly GrownRow[];
}

type GrownRow = Row & { readonly growth: NonNullable<Row["growth"]> };

const isGrown = (row: Row): row is GrownRow => row.growth !== undefined;

/** Curves in the order of their first rows. */
function curvesOf(rows: readonly Row[]): Curve[] {
  const curves = new Map<string, GrownRow[]>();
  for (const row of rows.filter(isGrown)) {
    const title = `${row.growth.curve}, against ${row.growth.along}`;
    curves.set(title, [...(curves.get(title) ?? []), row]);
  }
  return [...curves].map(([title, found]) => ({
    title,
    along: found[0]!.growth.along,
    points: found.toSorted((a, b) => a.growth.at - b.growth.at),
  }));
}

/** A picture beside the page: its path from there, and the chart. */
interface GrowthPicture {
  readonly path: string;
  readonly label: string;
  readonly chart: ReturnType<typeof growthChart>;
}

const WIDTH = 640;

/** A picture of each curve of at least two points, under a name that stays. */
export function growthPictures(rows: readonly Row[]): GrowthPicture[] {
  return curvesOf(rows).flatMap((curve) => pictureOf(curve) ?? []);
}

function pictureOf({ title, along, points }: Curve): GrowthPicture | undefined {
  if (points.length < 2) return undefined;
  const drawn: GrowthCurve = {
    along,
    points: points.map(({ growth, ours }) => ({ at: growth.at, ms: ours.ms.median, bytes: ours.peakBytes })),
  };
  return {
    path: `images/growth-${title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}.svg`,
    label: `Time and peak memory of ${title}, as multiples of the first point's; the table gives the numbers.`,
    chart: growthChart(drawn, WIDTH),
  };
}

/** For each curve a picture and a table of how time and memory grow along one size; empty where there is none. */
export function growthSections(rows: readonly Row[]): string {
  return curvesOf(rows).map(sectionOf).join("\n\n");
}

function sectionOf(curve: Curve): string {
  const { title, along, points } = curve;
  const first = points[0]!;
  const cells = points.map(({ growth, ours, images }) => [
    count(growth.at),
    timeWithSpread(ours.ms),
    images === undefined ? NONE : milliseconds(ours.ms.median / images),
    `${fixed(ours.ms.median / first.ours.ms.median, 2)}×`,
    gibibytes(ours.peakBytes),
    `${fixed(ours.peakBytes / first.ours.peakBytes, 2)}×`,
  ]);
  const picture = pictureOf(curve);
  return [
    `### ${title.charAt(0).toUpperCase()}${title.slice(1)}`,
    ...(picture === undefined ? [] : [`![${picture.label}](${picture.path})`]),
    table([along, "time", "time an image", "growth", "memory", "growth"], cells),
    ...levelSentence(curve),
  ].join("\n\n");
}

/** Peaks of two processes that do the same differ by up to about this share. */
const NOISE = 0.05;

/** Whether memory grew between the two sizes at which a curve says that it should not. */
function levelSentence({ along, points }: Curve): string[] {
  const [from, to] = points.filter(({ growth }) => growth.level === true);
  if (from === undefined || to === undefined) return [];
  const grown = to.ours.peakBytes - from.ours.peakBytes;
  const by = `${gibibytes(Math.abs(grown))}, ${fixed(to.ours.peakBytes / from.ours.peakBytes, 2)}×`;
  const sizes = `between ${count(from.growth.at)} and ${count(to.growth.at)} ${along}`;
  if (grown > NOISE * from.ours.peakBytes) return [`Memory grew ${sizes}: by ${by}.`];
  return [`Memory did not grow ${sizes}: the difference is ${grown < 0 ? "−" : ""}${by}.`];
}
