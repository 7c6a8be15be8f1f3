import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { FILES } from "./protocol.ts";
import type { Profile } from "./result.ts";
import { type Command, withSide } from "./side.ts";

/** Steps beside the check; the first runs of a program make room that later ones find, and do not count. */
const RUNS = 4;
const UNCOUNTED = 2;

/** Kinds of node that are named; the others are summed. */
const NAMED = 6;

/** Convolutions and matrix products, as the runtime names them plain and fused. */
const PRODUCTS = new Set([
  "Conv",
  "FusedConv",
  "ConvTranspose",
  "Gemm",
  "FusedGemm",
  "MatMul",
  "FusedMatMul",
  "Einsum",
]);

/** Chrome's trace format, of which the runtime writes complete events: microseconds from the session's start. */
const Trace = z.array(
  z.object({
    cat: z.string(),
    name: z.string(),
    ts: z.number(),
    dur: z.number(),
    args: z.object({ op_name: z.string().optional() }).optional(),
  }),
);
type Event = z.output<typeof Trace>[number];

/**
 * Runs our side of a case a few times more under the runtime's own profiler, in a process that nothing else measures.
 * @throws SideError where the process does not answer
 */
export async function profileCase(command: Command, folder: string): Promise<Profile> {
  await withSide({ ...command, args: [...command.args, join(folder, FILES.profile)] }, async (side) => {
    await side.run(RUNS);
    await side.end();
  });
  return readProfile(folder);
}

/** Sums the profile that the runtime has written into a folder. @throws Error where there is none. */
export async function readProfile(folder: string): Promise<Profile> {
  const name = (await readdir(folder)).find((file) => file.startsWith(`${FILES.profile}_`));
  if (name === undefined) throw new Error("the runtime has written no profile");
  return profileOf(Trace.parse(JSON.parse(await readFile(join(folder, name), "utf8"))));
}

/** Sums a trace by kind of node, in milliseconds and calls of one run of the graph. @throws Error for a trace without a run that counts. */
export function profileOf(trace: readonly Event[]): Profile {
  const runs = trace.filter(({ name }) => name === "model_run").toSorted((a, b) => a.ts - b.ts);
  const counted = runs.slice(UNCOUNTED);
  const [first] = counted;
  if (first === undefined) throw new Error(`the runtime's profile has ${runs.length} runs; more are needed`);
  const kinds = new Map<string, { ms: number; calls: number }>();
  for (const { cat, ts, dur, args } of trace) {
    const kind = args?.op_name;
    if (cat !== "Node" || kind === undefined || ts < first.ts) continue;
    const sum = kinds.get(kind) ?? { ms: 0, calls: 0 };
    kinds.set(kind, { ms: sum.ms + dur / 1000 / counted.length, calls: sum.calls + 1 / counted.length });
  }
  const sorted = [...kinds].map(([kind, sum]) => ({ kind, ...sum })).sort((a, b) => b.ms - a.ms);
  const rest = sorted.slice(NAMED);
  return {
    ms: counted.reduce((sum, { dur }) => sum + dur, 0) / 1000 / counted.length,
    products: total(sorted.filter(({ kind }) => PRODUCTS.has(kind))),
    others: total(sorted.filter(({ kind }) => !PRODUCTS.has(kind))),
    kinds: sorted.slice(0, NAMED),
    rest: { kinds: rest.length, ms: total(rest), calls: rest.reduce((sum, { calls }) => sum + calls, 0) },
  };
}

const total = (parts: readonly { readonly ms: number }[]) => parts.reduce((sum, { ms }) => sum + ms, 0);
