import { count, fixed } from "../src/report/numbers.ts";
import { NONE, table } from "./markdown.ts";
import type { Profile, Result, Row } from "./result.ts";
import { milliseconds, share } from "./text.ts";
import { millisecondsAt, timeToReach } from "./verdicts.ts";

/** "What stands in the way": of each case that misses a goal of speed or of share of peak, where its time goes; empty where none does. */
export function obstacles({ rows, peakGflops }: Pick<Result, "rows" | "peakGflops">): string {
  const missed = rows.flatMap((row) => {
    const needed = timeToReach(row, peakGflops);
    return needed === undefined ? [] : [{ row, needed }];
  });
  if (missed.length === 0) return "";
  const profiled = missed.flatMap(({ row: { id, profile } }) => (profile === undefined ? [] : [{ id, profile }]));
  return [
    "## What stands in the way",
    "Of each case that misses a goal of speed or of share of peak, what one run of its graph does under the runtime's own profiler: the " +
      "kinds of node that take longest, with their share of the time and their calls. _Products_ are convolutions and matrix products; all " +
      "other nodes only move or combine memory (element by element, norms, sums, other layouts). The profiler itself takes time at every node.",
    ...(profiled.length === 0 ? [] : [profileTable(profiled)]),
    missed.map(({ row, needed }) => `- ${obstacle(row, needed, peakGflops)}`).join("\n"),
  ].join("\n\n");
}

function profileTable(rows: readonly { readonly id: string; readonly profile: Profile }[]): string {
  const cells = rows.map(({ id, profile }) => {
    const { kinds, rest } = profile;
    const part = (name: string, { ms, calls }: Profile["rest"] | Profile["kinds"][number]) =>
      `${name} ${percent(ms / profile.ms)} (${count(calls)})`;
    return [
      `\`${id}\``,
      milliseconds(profile.ms),
      kinds.map((sum) => part(sum.kind, sum)).join(", "),
      rest.kinds === 0 ? NONE : part(`${rest.kinds} kinds`, rest),
    ];
  });
  return table(["case", "one run", "kinds of node: share of time (calls)", "all others"], cells);
}

/** What the figures say about one case. @param needed the longest median that reaches its goals, in milliseconds */
function obstacle({ id, ours, flops, profile }: Row, needed: number, peakGflops: number): string {
  const { median } = ours.ms;
  const parts = [`\`${id}\` takes ${milliseconds(median)}, its goals allow ${milliseconds(needed)}.`];
  if (flops !== undefined) {
    const alone = millisecondsAt(flops, peakGflops);
    parts.push(
      `Its arithmetic alone takes ${milliseconds(alone)} at the peak, ${percent(alone / median)} of its time.`,
    );
  }
  if (profile === undefined) return [...parts, "It was not profiled."].join(" ");
  const { ms, products, others } = profile;
  parts.push(
    `${percent(products / ms)} of its time under the profiler lies in products, ${percent(others / ms)} in nodes that only move or combine memory, ` +
      `${percent(Math.max(0, 1 - (products + others) / ms))} between nodes.`,
  );
  if (flops !== undefined && products > 0)
    parts.push(`While products run, they reach ${percent(share(flops, products, peakGflops))} of the peak.`);
  return parts.join(" ");
}

const percent = (part: number) => `${fixed(100 * part, 0)} %`;
