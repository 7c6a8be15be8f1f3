import { createWriteStream } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { encodeSafetensors } from "../src/engine/safetensors.ts";
import type { StateDict } from "../src/engine/store.ts";
import { type BenchCase, type ComputeSpec, imagesOf, LOADED_AT_MOST } from "./case.ts";
import { evaluationFlops, graphFlops } from "./flops.ts";
import { type Allocator, allocators, formsOf, type Layout, type Peer, peerCommand } from "./peer.ts";
import type { Allotment } from "./plan.ts";
import { imageBytes, prepare } from "./prepare.ts";
import { profileCase } from "./profile.ts";
import { type Check, FILES } from "./protocol.ts";
import type { Rival, Row } from "./result.ts";
import { type Command, type Side, SideError, withSide } from "./side.ts";
import { spreadOf } from "./statistics.ts";
import { buildStep, isStep } from "./steps/index.ts";
import { type Pace, roundRatios, takeTurns } from "./turns.ts";
import { timeToReach } from "./verdicts.ts";

/** With what a case is measured. */
export interface Setting {
  readonly peer: Peer | undefined;
  readonly threads: number;
  /** The smoke run's: one form of the peer for each allocator, and few rounds. */
  readonly quick: boolean;
  readonly allotment: Allotment;
  /** GFLOP/s, by which a share of peak is judged. */
  readonly peakGflops: number;
  /** Says what is going on, for a person who waits. */
  tell(what: string): void;
}

/** Both sides computed something else. */
export class MismatchError extends Error {
  override readonly name = "MismatchError";
}

const QUICK: Pace = { seconds: 0.5, least: 2, most: 3 };
/** Three rounds give a median that one disturbed round cannot move; beyond fifteen a median hardly gains. */
const ROUNDS = { least: 3, most: 15 } as const;

const paceOf = ({ quick, allotment }: Setting): Pace => (quick ? QUICK : { seconds: allotment.seconds, ...ROUNDS });

/** Layouts and sums in another order change the last digits; a rectifier that flips near zero changes a norm by more. */
const TOLERANCE = { loss: 1e-4, norm: 5e-3 };

/**
 * Measures a case: our side's process stays, each of the peer's comes and goes, so that never more than two hold memory.
 * @throws MismatchError where a peer's loss or gradient norm is another; SideError where our side does not answer.
 */
export async function runCase(benchCase: BenchCase & { spec: ComputeSpec }, setting: Setting): Promise<Row> {
  const { id, spec, goals, growth } = benchCase;
  const folder = await mkdtemp(join(tmpdir(), "tldmi-bench-"));
  try {
    setting.tell("preparing");
    const state = prepare(spec);
    await writeCase(folder, spec, state);
    const command = ourCommand(folder, setting.threads);
    const row = await withSide(command, async (ours): Promise<Row> => {
      const { ms, tried, rivals } = await measure(benchCase, ours, folder, setting);
      return {
        id,
        goals,
        ...(growth && { growth: { ...growth, at: pointOf(spec, growth.along) } }),
        images: imagesOf(spec),
        ...flopsOf(spec, state),
        ours: { ms: spreadOf(ms), peakBytes: await ours.end() },
        ...rivals,
        tried,
      };
    });
    if (timeToReach(row, setting.peakGflops) === undefined) return row;
    setting.tell("a goal is missed; where does the time go?");
    return { ...row, ...(await profiled(command, folder, setting)) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A measurement is worth keeping without its profile. */
async function profiled(command: Command, folder: string, { tell }: Setting): Promise<Pick<Row, "profile">> {
  try {
    return { profile: await profileCase(command, folder) };
  } catch (error) {
    tell(`no profile: ${error instanceof Error ? error.message : error}`);
    return {};
  }
}

/** What was measured of a case: our times, and the peer's strongest forms beside every form that was tried. */
interface Measurement extends Pick<Row, "tried"> {
  readonly ms: readonly number[];
  readonly rivals: Pick<Row, Allocator>;
}

async function measure(benchCase: BenchCase, ours: Side, folder: string, setting: Setting): Promise<Measurement> {
  if (benchCase.peer && setting.peer !== undefined) return meetPeer(benchCase, setting.peer, ours, folder, setting);
  const [turns] = await takeTurns([ours], paceOf(setting));
  return { ms: turns!.flat(), tried: [], rivals: {} };
}

async function writeCase(folder: string, spec: ComputeSpec, state: StateDict): Promise<void> {
  const told = spec.kind === "load" ? { ...spec, atMost: LOADED_AT_MOST } : spec;
  await writeFile(join(folder, FILES.spec), JSON.stringify(told));
  if (Object.keys(state).length > 0) await writeFile(join(folder, FILES.tensors), encodeSafetensors(state));
  if (isStep(spec)) return;
  await pipeline(Readable.from(imageBytes(spec.images, spec.side)), createWriteStream(join(folder, FILES.images)));
}

function ourCommand(folder: string, threads: number): Command {
  const worker = fileURLToPath(new URL("./worker.js", import.meta.url));
  return { what: "tl-dmi", file: process.execPath, args: [worker, folder, String(threads)] };
}

function flopsOf(spec: ComputeSpec, state: StateDict): { flops?: number } {
  // What an epoch does not compute again is the point of that case: it has no one count of operations.
  if (spec.kind === "load" || spec.kind === "epoch") return {};
  if (spec.kind === "evaluate") return { flops: evaluationFlops(spec) };
  const { outputs, updates } = buildStep(spec, state);
  return { flops: graphFlops([...Object.values(outputs), ...Object.values(updates)]) };
}

function pointOf(spec: ComputeSpec, along: NonNullable<BenchCase["growth"]>["along"]): number {
  if (along === "identities") return "classes" in spec ? spec.classes : 0;
  if (along === "images") return "images" in spec ? spec.images : 0;
  return along === "side" ? spec.side : spec.batch;
}

/**
 * Takes turns with every form of the peer under each allocator. What counts is the form to which ours compares worst: all are measured
 * the same way, so that none is chosen by a trial that was shorter.
 */
async function meetPeer(
  benchCase: BenchCase,
  peer: Peer,
  ours: Side,
  folder: string,
  setting: Setting,
): Promise<Measurement> {
  const { threads } = setting;
  const { kind } = benchCase.spec;
  const tried: Row["tried"] = [];
  const rivals: Pick<Row, Allocator> = {};
  const ms: number[] = [];
  const meet = (layout: Layout, allocator: Allocator): Promise<Rival> => {
    setting.tell(`PyTorch, ${layout}, ${allocator} allocator`);
    const command = peerCommand(peer, { folder, layout, allocator, threads, kind });
    return withSide(command, async (side) => {
      checkAgreement(command.what, ours.check, side.check);
      const [mine, theirs] = await takeTurns([ours, side], paceOf(setting));
      ms.push(...mine!.flat());
      const ratio = spreadOf(roundRatios(mine!, theirs!));
      return { layout, ms: spreadOf(theirs!.flat()), peakBytes: await side.end(), ratio };
    });
  };
  for (const allocator of allocators())
    for (const [layout, reason] of wantedForms(benchCase, peer, allocator, setting)) {
      const met = reason === undefined ? await unlessUncompiled(layout, () => meet(layout, allocator)) : reason;
      if (typeof met === "string") {
        tried.push({ allocator, layout, reason: met });
        continue;
      }
      tried.push({ allocator, layout, ms: met.ms.median, ratio: met.ratio.median });
      const strongest = rivals[allocator];
      if (strongest === undefined || met.ratio.median < strongest.ratio.median) rivals[allocator] = met;
    }
  return { ms, tried, rivals };
}

/** What PyTorch cannot compile is no fault of the case: its reason is given. A process that cannot run eagerly is one. */
async function unlessUncompiled(layout: Layout, meet: () => Promise<Rival>): Promise<Rival | string> {
  try {
    return await meet();
  } catch (error) {
    if (!(error instanceof SideError) || layout !== "compile") throw error;
    return error.reason;
  }
}

function wantedForms(benchCase: BenchCase, peer: Peer, allocator: Allocator, { quick, allotment }: Setting) {
  const forms = formsOf(benchCase, peer, allotment.compile > 0);
  if (!quick) return forms;
  const wanted: Layout = allocator === "tuned" && forms.length > 1 ? "channels_last" : "nchw";
  return forms.filter(([layout]) => layout === wanted);
}

/** @throws MismatchError where loss or norm differ by more than rounding can explain. */
export function checkAgreement(what: string, ours: Check, theirs: Check): void {
  for (const key of ["loss", "norm"] as const) {
    const size = Math.max(Math.abs(ours[key]), Math.abs(theirs[key]));
    // Written so that a number that is none fails too.
    if (Math.abs(ours[key] - theirs[key]) <= TOLERANCE[key] * size) continue;
    const name = key === "loss" ? "loss" : "gradient norm";
    throw new MismatchError(
      `${what} has ${name} ${theirs[key]}, tl-dmi ${ours[key]}; they may differ by ${TOLERANCE[key]} of it`,
    );
  }
}
