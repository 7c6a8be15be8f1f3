import { readdir, readFile } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../engine/atomic-file.ts";
import { contentId, type JsonValue } from "./canonical.ts";
import type { StepCost } from "./rehearse.ts";
import { findStep, type StepSpec } from "./step-record.ts";

/**
 * What two steps have in common that cost the same: everything that determines them and what they rest on, but for seeds, and of a target
 * that they rest on all but its architecture. Searches that end where the target says so (`patience`, label-only ones) can differ more.
 * @param specOf the step of an id; undefined for what is no step (a hash of data)
 */
export function costKey(spec: StepSpec, specOf: (id: string) => StepSpec | undefined): string {
  const inputs = Object.entries(spec.inputs).map(([role, id]) => {
    const step = specOf(id);
    return [role, step === undefined ? id : costWithin(step, specOf)] as const;
  });
  const { kind, version, config } = spec;
  return contentId({ kind, version, config: withoutSeed(config), inputs: Object.fromEntries(inputs) });
}

/** A step's part in the cost of those that rest on it: to ask a target takes as long however it was trained. */
function costWithin(spec: StepSpec, specOf: (id: string) => StepSpec | undefined): string {
  if (spec.kind !== "target") return costKey(spec, specOf);
  const { model } = spec.config as Readonly<Record<string, JsonValue | undefined>>;
  return contentId({ kind: spec.kind, ...(model !== undefined && { model }) });
}

function withoutSeed(config: JsonValue): JsonValue {
  if (config === null || typeof config !== "object" || Array.isArray(config)) return config;
  const { seed: _, ...rest } = config as Readonly<Record<string, JsonValue | undefined>>;
  return rest;
}

/** A finished step of a store: what it was, and the wall time that it took. */
export interface FinishedStep {
  readonly id: string;
  readonly spec: StepSpec;
  readonly seconds: number;
}

/** The finished steps in a store's folder; none where there is no such folder. */
export async function finishedSteps(root: string): Promise<FinishedStep[]> {
  const folders = await readdir(root).catch(() => []);
  const found = await Promise.all(folders.map((folder) => findStep(join(root, folder))));
  return found.flatMap((step) => {
    if (step === undefined || !("record" in step)) return [];
    const { id, spec, seconds } = step.record;
    return [{ id, spec: spec as StepSpec, seconds }];
  });
}

/** The mean wall time of finished steps, by their cost key. */
export function meanSeconds(
  finished: readonly FinishedStep[],
  specOf: (id: string) => StepSpec | undefined,
): ReadonlyMap<string, number> {
  const times = new Map<string, number[]>();
  for (const { spec, seconds } of finished) {
    const key = costKey(spec, specOf);
    times.set(key, [...(times.get(key) ?? []), seconds]);
  }
  return new Map([...times].map(([key, all]) => [key, all.reduce((a, b) => a + b, 0) / all.length]));
}

const StepCosts = z.record(z.string(), z.object({ seconds: z.number(), queries: z.number().exactOptional() }));

/** What rehearsals found, kept in a file; of this machine and number of threads. */
export interface CostCache {
  get(key: string): StepCost | undefined;
  /** Keeps a cost, and writes the file. */
  set(key: string, cost: StepCost): Promise<void>;
}

/** Opens the file, which is begun anew where it cannot be read. */
export async function openCostCache(path: string, threads: number): Promise<CostCache> {
  const costs = new Map(Object.entries(await readCosts(path)));
  const machine = `${cpus()[0]?.model ?? "unknown"}, ${availableParallelism()} cores, ${threads} threads`;
  const named = (key: string) => contentId([machine, key]);
  return {
    get: (key) => costs.get(named(key)),
    async set(key, cost) {
      costs.set(named(key), cost);
      await writeFileAtomic(path, `${JSON.stringify(Object.fromEntries(costs), undefined, 2)}\n`);
    },
  };
}

async function readCosts(path: string): Promise<Record<string, StepCost>> {
  try {
    return StepCosts.safeParse(JSON.parse(await readFile(path, "utf8"))).data ?? {};
  } catch {
    return {};
  }
}
