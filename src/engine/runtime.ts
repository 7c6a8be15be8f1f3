import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import type ort from "onnxruntime-node";
import { currentDevice, DEVICES, type Device, deviceNeeds, setCurrentDevice } from "./device.ts";
import { UserError } from "./errors.ts";
import { input, topologicalOrder, type Value } from "./graph.ts";
import { matmul } from "./ops/linear.ts";
import { sameShape, showShape } from "./shape.ts";
import type { Store } from "./store.ts";
import { allocate, type Dtype, type Tensor, type TensorData } from "./tensor.ts";

/** A graph made ready to run. Release it when done: its memory is outside the garbage collector's reach. */
export interface Program {
  /**
   * Runs once: `feeds` holds the arrays of the inputs by name; weights come from the store, and its updated tensors change places.
   * The results' arrays are reused by the next run: copy what must be kept.
   * @throws RangeError for a missing feed or one of the wrong length.
   */
  run(feeds: Readonly<Record<string, TensorData>>): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

/** What a program computes. */
export interface ProgramOptions {
  /** The results that each run hands over, by name. */
  readonly outputs: Readonly<Record<string, Value>>;
  /** New values of tensors of the store, by their names there. */
  readonly updates?: Readonly<Record<string, Value>>;
  /** Where parameters are read and updates go; may be left out where the graph has neither. */
  readonly store?: Store;
  /**
   * Whether the runtime's own layout may be used where it is faster, the default, or standard operators alone: results differ by rounding,
   * and where a ReLU or a maximum is decided by the last digit, by that decision. Devices other than the processor know no other than
   * the standard one.
   */
  readonly layout?: "fastest" | "standard";
  /** Where the runtime writes its own profile of all runs, at the program's release: `<profile>_<time>.json`. Without it none is kept. */
  readonly profile?: string;
}

const require = createRequire(import.meta.url);

// The native library, and ONNX's schemas in `lowering.ts`, take longer to load than a plan or a help text may take: the first use does it.
let loaded: typeof ort | undefined;
function library(): typeof ort {
  loaded ??= require("onnxruntime-node") as typeof ort;
  return loaded;
}

// The number of threads belongs to the process, as the cores do.
let threads = availableParallelism();

/** Sets how many threads programs compiled from now on use. Sums depend on it in the last digits. */
export function setThreads(count: number): void {
  threads = count;
}

/** What runs the graphs, for `doctor` and for the record of a run. */
export function runtimeInfo(): { version: string; backends: string[]; threads: number } {
  const ort = library();
  return {
    version: ort.env.versions.node ?? ort.env.versions.common,
    backends: ort
      .listSupportedBackends()
      .filter((b) => b.bundled)
      .map((b) => b.name),
    threads,
  };
}

/** A device of this installation, and why it cannot be used where it cannot. */
export interface DeviceState {
  readonly device: Device;
  readonly problem?: string;
}

/** What of all devices this installation of the runtime has, and whether a small product comes out right on it. */
export async function deviceStates(): Promise<DeviceState[]> {
  const states: DeviceState[] = [];
  for (const device of DEVICES) {
    const problem = await deviceProblem(device);
    states.push({ device, ...(problem !== undefined && { problem }) });
  }
  return states;
}

/**
 * Makes all programs compiled from now on run on a device. Sums and their order are the device's: results differ in the last digits, and
 * on graphics cards perhaps from run to run.
 * @throws UserError where it is not there or does not compute: what is missing, and how to get it.
 */
export async function setDevice(device: Device): Promise<void> {
  const problem = await deviceProblem(device);
  if (problem !== undefined) {
    const need = device === "cpu" ? "" : `; ${deviceNeeds(device)}`;
    throw new UserError(`device ${device} cannot be used here: ${problem}${need}`);
  }
  setCurrentDevice(device);
}

/** Why a device cannot be used; undefined where it can. A provider that is not there would be passed over without an error. */
async function deviceProblem(device: Device): Promise<string | undefined> {
  const backend = library()
    .listSupportedBackends()
    .find(({ name }) => name === device);
  if (backend === undefined) return `the runtime for ${process.platform} on ${process.arch} has no such provider`;
  if (!backend.bundled && !hasLibrary(device)) return "the runtime's libraries for it are not installed";
  const shape = [2, 2] as const;
  const { toOnnx } = await import("./lowering.ts");
  const model = toOnnx({ outputs: { y: matmul(input("a", shape), input("b", shape)) } });
  const two = { dtype: "float32", shape, data: Float32Array.of(1, 2, 3, 4) } as const;
  try {
    const { y } = await runOnnx(model, { a: two, b: two }, device);
    const right = [7, 10, 15, 22].every((wanted, i) => Math.abs(y!.data[i]! - wanted) < 0.1);
    return right ? undefined : `a small matrix product comes out wrong (${[...y!.data].join(", ")})`;
  } catch (error) {
    return runtimeWords(error);
  }
}

/** Whether a provider's library lies in the runtime's package: without it, a session would print more than its error. */
function hasLibrary(device: Device): boolean {
  const folder = dirname(require.resolve("onnxruntime-node/package.json"));
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return files.some((file) => file.includes(`onnxruntime_providers_${device}.`));
}

/** The part of the runtime's message that is about the matter: after the place in its sources and the condition that failed. */
function runtimeWords(error: unknown): string {
  const line = (error instanceof Error ? error.message : String(error)).split("\n")[0]!;
  return /was false\. (.+)$/.exec(line)?.[1] ?? line.replace(/^OrtSession\w+: /, "");
}

// Results may bear the names of inputs and weights, whose graph names must stay unique.
const OUTPUT = "output/";
const UPDATE = "update/";

/** Compiles a graph into one session of the runtime: forward, backward and update run as one. */
export async function compile(options: ProgramOptions): Promise<Program> {
  const { outputs, updates = {}, store, layout = "fastest", profile } = options;
  const results: Record<string, Value> = {};
  for (const [name, v] of Object.entries(outputs)) results[`${OUTPUT}${name}`] = v;
  for (const [name, v] of Object.entries(updates)) results[`${UPDATE}${name}`] = v;
  const leaves = topologicalOrder(Object.values(results)).flatMap((v) => (v.leaf ? [{ leaf: v.leaf, v }] : []));
  const inputs = new Map(leaves.filter(({ leaf }) => leaf.kind === "input").map(({ leaf, v }) => [leaf.name, v]));
  const parameters = new Map(
    leaves.filter(({ leaf }) => leaf.kind === "parameter").map(({ leaf, v }) => [leaf.name, v]),
  );
  checkStore(store, parameters, updates);

  const { toOnnx } = await import("./lowering.ts");
  const externalData: { path: string; data: Uint8Array }[] = [];
  const model = toOnnx({
    outputs: results,
    // Blocks are the processor's: no other device has operators for them.
    block: layout === "fastest" && currentDevice() === "cpu" ? await blockSize() : 0,
    apart: (path, data) => externalData.push({ path, data }),
  });
  const session = await createSession(model, { externalData, profile });
  const arrays = new Map(Object.entries(outputs).map(([name, v]) => [name, allocate(v.dtype, count(v))]));
  const updated = Object.keys(updates);

  return {
    async run(feeds) {
      const fed: Record<string, ort.Tensor> = {};
      for (const [name, v] of inputs) fed[name] = toOrt(v, checkedFeed(name, v, feeds[name]));
      for (const [name, v] of parameters) fed[name] = toOrt(v, store!.get(name).data);
      const fetched: Record<string, ort.Tensor> = {};
      for (const [name, v] of Object.entries(outputs)) fetched[`${OUTPUT}${name}`] = toOrt(v, arrays.get(name)!);
      for (const name of updated) fetched[`${UPDATE}${name}`] = toOrt(updates[name]!, store!.back(name).data);
      await session.run(fed, fetched);
      store?.swap(updated);
      return Object.fromEntries(
        Object.entries(outputs).map(([name, v]) => [name, { dtype: v.dtype, shape: v.shape, data: arrays.get(name)! }]),
      );
    },
    async release() {
      if (profile !== undefined) session.endProfiling();
      await session.release();
    },
  };
}

/**
 * An ONNX model from elsewhere, run as it is: for comparing exports and imports with the graph. A path brings files of weights that
 * lie beside the model. It runs on the processor, whose results are the reference, unless another device is named.
 */
export async function runOnnx(
  model: Uint8Array | string,
  feeds: Readonly<Record<string, Tensor>>,
  device: Device = "cpu",
): Promise<Record<string, Tensor>> {
  const session = await createSession(model, { device });
  try {
    const fed = Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, toOrt(t, t.data)]));
    const results = await session.run(fed);
    return Object.fromEntries(
      Object.entries(results).map(([name, t]) => [
        name,
        { dtype: t.type as Dtype, shape: [...t.dims], data: t.data as TensorData },
      ]),
    );
  } finally {
    await session.release();
  }
}

let block: Promise<number> | undefined;

/** Channels in a block of the runtime's own layout on this processor; 0 where it has none. */
export function blockSize(): Promise<number> {
  block ??= probeBlocks();
  return block;
}

async function probeBlocks(): Promise<number> {
  const { blockOf, blockProbe } = await import("./blocked/probe.ts");
  const { model, x } = blockProbe();
  try {
    return blockOf((await runOnnx(model, { x })).y!);
  } catch {
    return 0;
  }
}

interface SessionSettings {
  readonly externalData?: readonly { readonly path: string; readonly data: Uint8Array }[];
  readonly device?: Device;
  readonly profile?: string | undefined;
}

function createSession(
  model: Uint8Array | string,
  { externalData = [], device = currentDevice(), profile }: SessionSettings,
): Promise<ort.InferenceSession> {
  const { InferenceSession } = library();
  const options: ort.InferenceSession.SessionOptions = {
    // What a device has no kernel for runs on the processor.
    executionProviders: device === "cpu" ? ["cpu"] : [device, "cpu"],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
    // Its plan is one more block as large as a whole step, beside what the first run has used.
    enableMemPattern: false,
    externalData,
    ...(profile !== undefined && { enableProfiling: true, profileFilePrefix: profile }),
  };
  return typeof model === "string" ? InferenceSession.create(model, options) : InferenceSession.create(model, options);
}

const count = (v: Value) => v.shape.reduce((n, a) => n * a, 1);

function toOrt({ dtype, shape }: { dtype: Dtype; shape: readonly number[] }, data: TensorData): ort.Tensor {
  const { Tensor } = library();
  return new Tensor(dtype, data as Float32Array, [...shape]);
}

function checkedFeed(name: string, v: Value, data: TensorData | undefined): TensorData {
  if (data === undefined) throw new RangeError(`input ${name} was not fed`);
  if (data.length !== count(v)) {
    throw new RangeError(`input ${name} of shape ${showShape(v.shape)} was fed ${data.length} elements`);
  }
  return data;
}

function checkStore(
  store: Store | undefined,
  parameters: ReadonlyMap<string, Value>,
  updates: Readonly<Record<string, Value>>,
): void {
  for (const [name, v] of [...parameters, ...Object.entries(updates)]) {
    if (store === undefined) throw new RangeError(`parameter ${name} needs a store`);
    const held = store.get(name).shape;
    if (!sameShape(held, v.shape))
      throw new RangeError(`${name} is ${showShape(v.shape)} in the graph, ${showShape(held)} in the store`);
  }
}
