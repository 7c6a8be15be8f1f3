import type { Value } from "../graph.ts";
import { showShape } from "../shape.ts";
import { constantScope, type Scope } from "./call.ts";
import { type Held, heldNumbers, heldValue } from "./held.ts";
import type { HostTensor } from "./host.ts";
import { isSupported, runNodes } from "./interpret.ts";
import { type Declared, type OnnxFile, readModelFile } from "./model-file.ts";
import type { OnnxNode } from "./node.ts";
import { refusal } from "./refusal.ts";
import type { ExternalData } from "./tensor-proto.ts";

/** How a file is imported. */
export interface ImportOptions {
  /** What messages call the file. */
  readonly name?: string;
  /** Reads weights that lie in files beside the model. */
  readonly external?: ExternalData;
  /** Outputs that are wanted, all by default; any tensor of the graph may be named. What only others need is left out. */
  readonly outputs?: readonly string[];
}

/** An ONNX file that the engine can build: its nodes are all known, its numbers are read. */
export interface ImportedGraph {
  readonly name: string;
  readonly opset: number;
  /** What must be fed, as the file declares it. */
  readonly inputs: readonly Declared[];
  /** Names of the outputs that `build` gives. */
  readonly outputs: readonly string[];
  /** Names of the file's own outputs. */
  readonly declaredOutputs: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  /** The nodes that the outputs need, in order. */
  readonly nodes: readonly OnnxNode[];
  /** The file's own tensors by name. */
  readonly initializers: ReadonlyMap<string, Held>;
  /**
   * Builds the graph on the given inputs, by name: values, or numbers that are known, such as a shape that is an input.
   * @param scope where weights come from; constants by default
   * @throws UserError for inputs that do not fit, and for what the engine cannot build
   */
  build(inputs: Readonly<Record<string, Value | HostTensor>>, scope?: Scope): Record<string, Held>;
  /** The same, with everything that the graph computes on the way, by its name in the file. */
  trace(inputs: Readonly<Record<string, Value | HostTensor>>, scope?: Scope): ReadonlyMap<string, Held>;
  /**
   * Builds some of the nodes, in the file's order; what they read from outside is in `names`, and what they make is put there.
   * @param batch the leading axis of the graph's inputs
   */
  part(nodes: readonly OnnxNode[], names: Map<string, Held>, batch: number, scope: Scope): void;
}

/** Reads an ONNX model. @throws UserError for bytes that are none, and one that lists all operators that are not supported. */
export function importOnnx(bytes: Uint8Array, options: ImportOptions = {}): ImportedGraph {
  const { name = "ONNX model", external = noExternal, outputs } = options;
  const file = readModelFile(bytes, name, external);
  const wanted = outputs ?? file.outputs.map((o) => o.name);
  const nodes = neededNodes(file, wanted);
  checkOperators(name, nodes);
  const read = new Set(nodes.flatMap((node) => node.inputs).concat(wanted));
  const inputs = file.inputs.filter((input) => read.has(input.name));
  const initializers = new Map(
    [...file.initializers].filter(([key]) => read.has(key)).map(([key, tensor]) => [key, heldNumbers(tensor(), key)]),
  );
  const run = (part: readonly OnnxNode[], names: Map<string, Held>, built: number, scope: Scope) =>
    runNodes(part, names, { file: name, opset: file.opset, scope, batch: { file: fixedBatch(inputs), built } });
  const trace: ImportedGraph["trace"] = (given, scope = constantScope()) => {
    const names = new Map(initializers);
    for (const input of inputs) names.set(input.name, fed(name, input, given[input.name]));
    const leading = inputs.map((input) => names.get(input.name)!).find((held) => held.fed && held.shape.length > 0);
    run(nodes, names, leading?.shape[0] ?? 1, scope);
    return names;
  };
  return {
    name,
    opset: file.opset,
    inputs,
    outputs: wanted,
    declaredOutputs: file.outputs.map((o) => o.name),
    metadata: file.metadata,
    nodes,
    initializers,
    trace,
    build(given, scope) {
      const names = trace(given, scope);
      return Object.fromEntries(wanted.map((output) => [output, names.get(output) ?? missing(name, output)]));
    },
    part: run,
  };
}

function noExternal(location: string): never {
  throw refusal(`weights lie in another file (${location}); import the model from disk, with that file beside it`);
}

function missing(name: string, output: string): never {
  throw refusal(`${name}: nothing makes the output "${output}"`);
}

/** The nodes that the outputs need, in the file's order. @throws UserError for an output that nothing makes. */
function neededNodes(file: OnnxFile, wanted: readonly string[]): OnnxNode[] {
  const needed = new Set(wanted);
  const nodes: OnnxNode[] = [];
  const made = new Set([...file.initializers.keys(), ...file.inputs.map((i) => i.name)]);
  for (const node of [...file.nodes].reverse()) {
    if (!node.outputs.some((name) => name !== "" && needed.has(name))) continue;
    for (const name of node.inputs) needed.add(name);
    nodes.push(node);
  }
  for (const node of nodes) for (const name of node.outputs) made.add(name);
  for (const output of wanted) if (!made.has(output)) missing(file.name, output);
  return nodes.reverse();
}

/** @throws UserError that lists every operator without a rule, with its nodes. */
function checkOperators(name: string, nodes: readonly OnnxNode[]): void {
  const unknown = new Map<string, string[]>();
  for (const node of nodes) {
    if (!isSupported(node.op)) unknown.set(node.op, [...(unknown.get(node.op) ?? []), node.name]);
  }
  if (unknown.size === 0) return;
  const shown = (places: readonly string[]) =>
    places.length > 3 ? `${places.slice(0, 3).join(", ")} and ${places.length - 3} more` : places.join(", ");
  const list = [...unknown].map(([op, places]) => `${op} (node ${shown(places)})`);
  throw refusal(`${name}: operators that are not supported: ${list.join("; ")}`);
}

/** @throws UserError for an input that is not given or does not have the declared shape. */
function fed(name: string, { name: input, dims }: Declared, given: Value | HostTensor | undefined): Held {
  if (given === undefined) throw refusal(`${name}: input "${input}" is not given`);
  const shape = given.shape;
  // The leading axis is the batch, which may be another than the file's.
  const fits =
    dims === undefined ||
    (dims.length === shape.length && dims.every((n, i) => i === 0 || typeof n === "string" || n === shape[i]));
  if (!fits)
    throw refusal(`${name}: input "${input}" is declared as [${dims?.join(", ")}], given is ${showShape(shape)}`);
  return "op" in given ? heldValue(given, { fed: true, weighted: false }) : heldNumbers(given);
}

/** The batch that the file fixes; undefined where it leaves it open. */
function fixedBatch(inputs: readonly Declared[]): number | undefined {
  const leading = inputs.find(({ dims }) => dims !== undefined && dims.length > 0)?.dims?.[0];
  return typeof leading === "number" ? leading : undefined;
}
