// The benchmark: this package and PyTorch in turn. `npm run bench -- --help` says how.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { UserError } from "../src/engine/errors.ts";
import type { BenchCase } from "./case.ts";
import { selectCases } from "./cases.ts";
import { conditionsOf } from "./conditions.ts";
import { findPeer, type Peer } from "./peer.ts";
import { allot, COMPILING_BUDGET, DEFAULT_BUDGET, planned, planText } from "./plan.ts";
import { measurePeak } from "./probe.ts";
import type { Row } from "./result.ts";
import { discardUnfinished, openResult } from "./result-file.ts";
import { root } from "./root.ts";
import { runCase, type Setting } from "./run-case.ts";
import { runStartUp } from "./start-up.ts";
import { rowText } from "./text.ts";

const HELP = `usage: npm run bench -- [options]

  --only PATTERN  the cases whose names hold PATTERN, also those that are not standard
  --quick         one tiny case of each kind, to see that everything works; the numbers mean nothing
  --list          names of the cases, standard ones marked *, and nothing is run
  --plan          what would be run and about how long it would take, and nothing is run
  --budget N      minutes for all cases that are not finished; ${DEFAULT_BUDGET} by default, without torch.compile, which ${COMPILING_BUDGET} do for
  --fresh         forget what an unfinished run left
  --no-peer       this package alone

The peer is PyTorch in the Python that TLDMI_BENCH_PYTHON names, else python3. Finished cases are kept: a run that was stopped
goes on with the same command, with the whole budget for what is left. Results are in bench/results; \`npm run bench:doc\` makes docs/performance.md of the newest.
`;

const say = (text: string) => process.stderr.write(`${text}\n`);

async function main(): Promise<number> {
  const { values } = parseOptions();
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const { quick, only: pattern } = values;
  const selected = selectCases({ quick, ...(pattern !== undefined && { pattern }) });
  if (selected.length === 0) throw new UserError(`no case has "${pattern}" in its name; --list shows them`);
  if (values.list) {
    const all = pattern === undefined ? selectCases({ quick, pattern: "" }) : selected;
    for (const { id, standard } of all) process.stdout.write(`${standard ? "*" : " "} ${id}\n`);
    return 0;
  }
  const peer = values["no-peer"] ? { missing: "without PyTorch, as asked" } : await findPeer();
  if ("missing" in peer) say(peer.missing);
  const found = "missing" in peer ? undefined : peer;
  const budget = minutes(values.budget);
  if (values.plan) {
    const allotment = allot(selected, found, budget * 60);
    process.stdout.write(planText(planned(selected, found, allotment), allotment, budget));
    return 0;
  }
  return measureAll(selected, found, { ...values, budget });
}

/** @throws UserError for anything but a positive number. */
function minutes(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new UserError(`--budget ${text}: expected minutes, such as 25`);
}

function parseOptions() {
  const flag = { type: "boolean", default: false } as const;
  try {
    return parseArgs({
      options: {
        only: { type: "string" },
        budget: { type: "string", default: String(DEFAULT_BUDGET) },
        quick: flag,
        list: flag,
        plan: flag,
        fresh: flag,
        "no-peer": flag,
        help: flag,
      },
    });
  } catch (error) {
    throw new UserError(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
  }
}

interface Asked {
  readonly quick: boolean;
  readonly only?: string | undefined;
  readonly fresh: boolean;
  /** Minutes. */
  readonly budget: number;
}

async function measureAll(
  selected: readonly BenchCase[],
  peer: Peer | undefined,
  { quick, only, fresh, budget }: Asked,
): Promise<number> {
  const end = performance.now() + budget * 60_000;
  // A smoke run leaves nothing that could be taken for a result.
  const folder = quick ? join(root, ".cache", "bench", "quick") : join(root, "bench", "results");
  if (fresh || quick) await discardUnfinished(folder);
  const conditions = conditionsOf(only ?? (quick ? "quick" : "standard"), peer);
  const peak = () => measurePeak(quick ? 512 : 2048, quick ? 0.2 : 4);
  const result = await openResult(folder, conditions, { now: new Date(), peakGflops: await peak() }, say);
  say(`${result.peakGflops.toFixed(0)} GFLOP/s in a large matrix product, ${conditions.threads} threads`);

  const done = new Set(result.rows.map(({ id }) => id));
  let failed = 0;
  for (const [i, benchCase] of selected.entries()) {
    if (done.has(benchCase.id)) continue;
    const left = selected.slice(i).filter(({ id }) => !done.has(id));
    const allotment = allot(left, peer, (end - performance.now()) / 1000);
    const tell = (what: string) => say(`  ${benchCase.id} (${i + 1} of ${selected.length}): ${what}`);
    try {
      const { peakGflops } = result;
      const { threads } = conditions;
      const row = await measureOne(benchCase, { peer, threads, quick, allotment, peakGflops, tell });
      await result.add(row);
      process.stdout.write(`${rowText(row, result.peakGflops)}\n`);
    } catch (error) {
      failed++;
      say(`FAILED ${benchCase.id}: ${error instanceof Error ? error.message : error}`);
    }
  }
  if (failed > 0) {
    say(
      `${failed} of ${selected.length} cases failed; the others are kept, the same command tries the failed ones again`,
    );
    return 1;
  }
  say(`written: ${(await result.finish(await peak())).slice(root.length + 1)}`);
  return 0;
}

function measureOne(benchCase: BenchCase, setting: Setting): Promise<Row> {
  const { spec } = benchCase;
  return spec.kind === "start"
    ? runStartUp({ ...benchCase, spec }, setting.quick)
    : runCase({ ...benchCase, spec }, setting);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  say(error.message);
  process.exitCode = 2;
}
