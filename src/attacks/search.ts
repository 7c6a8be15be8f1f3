import { z } from "zod";
import { input, type Value } from "../engine/graph.ts";
import { compile } from "../engine/runtime.ts";
import type { StateDict, Store } from "../engine/store.ts";
import { type FloatTensor, type TensorData, tensor } from "../engine/tensor.ts";
import { checkFinite, DivergedError, runLoop, type Work } from "../engine/work.ts";
import type { WhiteBox } from "./access.ts";

/** A part of a search: so many steps of one graph. */
export interface Phase {
  readonly iterations: number;
  /** Outputs with a `loss`, and the updates of one iteration. */
  readonly outputs: Readonly<Record<string, Value>>;
  readonly updates: Readonly<Record<string, Value>>;
  /** New values of tensors of the store before the first iteration, out of what the phase before left. */
  readonly enter?: Readonly<Record<string, Value>>;
  /** Brings the store's tensors back to where they may lie, after each iteration. */
  held?(store: Store): void;
}

/** Setting of an attack whose search can stop early. */
export const patienceSetting = {
  patience: z
    .int()
    .positive()
    .optional()
    .describe(
      "a batch is done when its mean identity loss has not fallen for so many iterations; where it is left out, after all of them",
    ),
};

/** A search over rows (restarts or identities) that are optimised side by side, some at a time. */
export interface Search extends Phase {
  readonly work: Work;
  readonly target: Pick<WhiteBox, "compile">;
  readonly name: string;
  /** Number of rows in all. */
  readonly rows: number;
  /** Rows optimised at a time. */
  readonly batch: number;
  /** Images of each row that the target is shown at a time, one after the other in its batch; 1 by default. */
  readonly imagesPerRow?: number;
  /** Holds the present rows' variables and the optimiser's slots; filled anew for each batch of rows. */
  readonly store: Store;
  /** First values for rows `from` … `from + batch − 1`, of everything in the store; rows past the last repeat it. */
  start(from: number): StateDict;
  /** What follows the first phase, in order. */
  readonly later?: readonly Phase[];
  /** New values of tensors of the store once the present rows are done: results that follow from the variables. */
  readonly finish?: Readonly<Record<string, Value>>;
  /** The names of the store's tensors that are the result, each [batch, …]. */
  readonly results: readonly string[];
  /** Tensors of the store that must stay finite; the results by default. */
  readonly variables?: readonly string[];
  /** What an iteration (counted on from phase to phase) is fed beside `labels`, which come from `label`. */
  feeds(from: number, iteration: number): Readonly<Record<string, TensorData>>;
  label(row: number): number;
  /** Iterations after which the present rows are done where their mean identity loss, an output, has not fallen; never without it. */
  readonly patience?: number | undefined;
  /** Whether the present rows are done before their last iteration; what is left of their iterations then runs nothing. */
  settled?(store: Store): boolean;
}

/**
 * Runs the search and returns each result for all rows. Resumes within a batch of rows.
 * @throws DivergedError when the loss or a variable is no longer finite.
 */
export async function runSearch(search: Search): Promise<Record<string, Float32Array>> {
  const { work, name, rows, batch, store, results, imagesPerRow = 1, variables = results, patience } = search;
  const phases = await openPhases(search);
  const iterations = phases.reduce((sum, phase) => sum + phase.iterations, 0);
  const finish = search.finish && (await compile({ outputs: {}, updates: search.finish, store }));
  const width = (n: string) => store.get(n).data.length / batch;
  const found: Record<string, FloatTensor> = Object.fromEntries(
    results.map((n) => [n, tensor(new Float32Array(rows * width(n)), [rows, width(n)])]),
  );
  const iterate = async (from: number, iteration: number): Promise<Record<string, number>> => {
    const { first, enter, program, held } = phases.findLast((phase) => phase.first <= iteration)!;
    if (iteration === first) await enter?.run({});
    const labels = Int32Array.from({ length: batch * imagesPerRow }, (_, i) =>
      search.label(Math.min(from + Math.floor(i / imagesPerRow), rows - 1)),
    );
    const fed = { labels, ...search.feeds(from, iteration) };
    const result = await program.run(fed, Math.min(batch, rows - from) * imagesPerRow);
    held?.(store);
    return Object.fromEntries(Object.entries(result).map(([n, t]) => [n, t.data[0]!]));
  };
  // The lowest identity loss of the present rows, and the iterations since: with the precision of checkpoints.
  const lowest = new Float32Array([Number.POSITIVE_INFINITY, 0]);
  const done = () => search.settled?.(store) === true || (patience !== undefined && lowest[1]! >= patience);
  const batches = Math.ceil(rows / batch);
  await runLoop({
    work,
    name,
    total: batches * iterations,
    unit: "iterations",
    store,
    extra: {
      save: () => (patience === undefined ? found : { ...found, [LOWEST]: tensor(lowest.slice(), [2]) }),
      load: (state) => {
        for (const n of results) found[n]!.data.set(state[n]!.data);
        if (patience !== undefined) lowest.set(state[LOWEST]!.data);
      },
    },
    async open() {
      let metrics: Record<string, number> = {};
      return async (step) => {
        const from = Math.floor(step / iterations) * batch;
        const iteration = step % iterations;
        const count = Math.min(batch, rows - from);
        if (iteration === 0) {
          store.load(search.start(from));
          lowest.set([Number.POSITIVE_INFINITY, 0]);
        }
        if (iteration === 0 || !done()) {
          metrics = await iterate(from, iteration);
          const identity = metrics.identity ?? metrics.loss!;
          lowest.set(identity < lowest[0]! ? [identity, 0] : [lowest[0]!, lowest[1]! + 1]);
          checkFinite(name, step, metrics.loss!);
          // Clamping between variables and images can keep the loss finite when they are not.
          for (const n of variables) {
            const lost = store.get(n).data.find((x) => !Number.isFinite(x));
            if (lost !== undefined) throw new DivergedError(`${name}: ${n}`, step, lost);
          }
          if ((iteration + 1) % 20 === 0)
            await work.log({ attack: name, batch: from / batch, iteration: iteration + 1, ...metrics });
        }
        if (iteration + 1 === iterations) {
          await finish?.run({});
          for (const n of results) found[n]!.data.set(store.get(n).data.subarray(0, count * width(n)), from * width(n));
        }
        return metrics;
      };
    },
  });
  for (const { enter, program } of phases) {
    await enter?.release();
    await program.release();
  }
  await finish?.release();
  return Object.fromEntries(results.map((n) => [n, found[n]!.data]));
}

/** A name that no attack gives a result. */
const LOWEST = "lowest identity loss";

/** The search's phases, compiled; each knows its first iteration. */
async function openPhases(search: Search) {
  const { target, store } = search;
  const opened = [];
  let first = 0;
  for (const { iterations, outputs, updates, enter, held } of [search, ...(search.later ?? [])]) {
    opened.push({
      first,
      iterations,
      program: await target.compile({ outputs, updates, store }),
      enter: enter && (await compile({ outputs: {}, updates: enter, store })),
      held,
    });
    first += iterations;
  }
  return opened;
}

/** The attacked class of each image, fed by `runSearch`. */
export function labelInput(images: number): Value {
  return input("labels", [images], "int32");
}

/** Rows `from` … of an array of rows, `count` of them; past the end the last row repeats. */
export function rowsFrom(rows: Float32Array, width: number, from: number, count: number): Float32Array {
  const total = rows.length / width;
  const out = new Float32Array(count * width);
  for (let i = 0; i < count; i++) {
    const at = Math.min(from + i, total - 1);
    out.set(rows.subarray(at * width, (at + 1) * width), i * width);
  }
  return out;
}
