import { constant, type Value } from "../graph.ts";
import { normalizeAxis, type Shape } from "../shape.ts";
import { asFloat, type FloatTensor } from "../tensor.ts";
import type { Held } from "./held.ts";
import { type HostTensor, numbersOf, toGraphTensor } from "./host.ts";
import type { OnnxNode, OnnxValue } from "./node.ts";
import { refusal } from "./refusal.ts";

/** Where an imported graph's weights come from, and what its layers do while it trains. */
export interface Scope {
  /** The value of a weight, or of a buffer (a running statistic), by its name in the file. */
  weight(name: string, tensor: FloatTensor, kind: "weight" | "buffer"): Value;
  /** Batch norms use the batch's statistics and hand on running ones. */
  readonly training: boolean;
  /** Takes a buffer's next value. */
  update(name: string, value: Value): void;
}

/** The leading axis of the graph's inputs: as the file fixes it (undefined where it is open), and as it is built. */
export interface BatchSizes {
  readonly file: number | undefined;
  readonly built: number;
}

/** What all nodes of a graph are built with. */
export interface Surroundings {
  /** What messages call the file. */
  readonly file: string;
  readonly opset: number;
  readonly scope: Scope;
  readonly batch: BatchSizes;
}

/** A node with its inputs at hand: what an operator's rule is given. Everything that is wrong is a UserError that names the node. */
export interface Call {
  readonly node: OnnxNode;
  readonly opset: number;
  readonly scope: Scope;
  readonly batch: BatchSizes;
  /** How many inputs are written, left out ones between others included. */
  readonly count: number;
  has(input: number): boolean;
  held(input: number): Held;
  /** The input as a value of the graph; a tensor of the file is a weight. */
  value(input: number): Value;
  /** The same for operators that preprocessing uses too: a tensor of the file is a weight only behind other weights. */
  operand(input: number): Value;
  /** A running statistic. */
  buffer(input: number): { readonly value: Value; readonly name: string | undefined };
  /** The input's numbers. */
  known(input: number): HostTensor;
  /** The input's numbers as a list, undefined where it is left out. */
  numbers(input: number): number[] | undefined;
  int(name: string, otherwise?: number): number;
  float(name: string, otherwise: number): number;
  text(name: string, otherwise: string): string;
  list(name: string): readonly number[] | undefined;
  /** An axis counted from the front. */
  axis(axis: number, rank: number): number;
  fail(what: string): never;
}

/** The call of one node. `used` tells afterwards whether the node took part of the file as a weight. */
export function openCall(
  node: OnnxNode,
  inputs: readonly (Held | undefined)[],
  { file, opset, scope, batch }: Surroundings,
): { call: Call; used: () => boolean } {
  let used = false;
  const fail = (what: string): never => {
    throw refusal(`${file}: node ${node.name} (${node.op}): ${what}`);
  };
  const held = (i: number): Held => inputs[i] ?? fail(`input ${i + 1} is missing`);
  const weightOr = (i: number, kind: "weight" | "buffer", allowed: boolean): Value => {
    const { weight, known, value } = held(i);
    if (weight === undefined || known === undefined || !allowed) return value();
    used = true;
    return scope.weight(weight, asFloat(toGraphTensor(known())), kind);
  };
  /** The value of an attribute of one kind, undefined where it is left out. */
  const attribute = <T>(
    name: string,
    kind: OnnxValue["kind"],
    read: (a: OnnxValue) => T | undefined,
  ): T | undefined => {
    const found = node.attributes.get(name);
    return found === undefined ? undefined : (read(found) ?? fail(`attribute ${name} must be of type ${kind}`));
  };
  const call: Call = {
    node,
    opset,
    scope,
    batch,
    count: inputs.length,
    has: (i) => inputs[i] !== undefined,
    held,
    value: (i) => weightOr(i, "weight", true),
    operand(i) {
      const others = inputs.filter((other, j) => j !== i && other !== undefined) as Held[];
      return weightOr(i, "weight", !others.some((o) => o.fed) || others.some((o) => o.fed && o.weighted));
    },
    buffer: (i) => ({ value: weightOr(i, "buffer", true), name: held(i).weight }),
    known: (i) => held(i).known?.() ?? fail(`input ${i + 1} must be known when the file is imported, it is computed`),
    numbers: (i) => (inputs[i] === undefined ? undefined : numbersOf(call.known(i))),
    int: (name, otherwise) =>
      attribute(name, "int", (a) => (a.kind === "int" ? a.value : undefined)) ??
      otherwise ??
      fail(`attribute ${name} is missing`),
    float: (name, otherwise) =>
      attribute(name, "float", (a) => (a.kind === "float" ? a.value : undefined)) ?? otherwise,
    text: (name, otherwise) =>
      attribute(name, "string", (a) => (a.kind === "string" ? a.value : undefined)) ?? otherwise,
    list: (name) => attribute(name, "ints", (a) => (a.kind === "ints" || a.kind === "floats" ? a.value : undefined)),
    axis(axis, rank) {
      const at = normalizeAxis(axis, rank);
      return Number.isInteger(at) && at >= 0 && at < rank ? at : fail(`axis ${axis} does not exist among ${rank}`);
    },
    fail,
  };
  return { call, used: () => used };
}

/** Whole numbers, each at least `least`. @throws UserError otherwise, or for another count than `count`. */
export function wholeList(
  c: Call,
  what: string,
  numbers: readonly number[],
  { count, least = 0 }: { count?: number; least?: number } = {},
): readonly number[] {
  if (count !== undefined && numbers.length !== count)
    c.fail(`${what} has ${numbers.length} entries, ${count} are needed`);
  if (numbers.some((n) => !Number.isSafeInteger(n) || n < least))
    c.fail(`${what} is [${numbers}], whole numbers from ${least} are needed`);
  return numbers;
}

/** A fixed tensor of the graph. */
export function fixedValue(t: HostTensor): Value {
  return constant(toGraphTensor(t));
}

/** The scope of a graph whose weights are constants. */
export function constantScope(): Scope {
  const values = new Map<string, Value>();
  return {
    training: false,
    update: () => {},
    weight(name, tensor) {
      const known = values.get(name) ?? constant(tensor, name);
      values.set(name, known);
      return known;
    },
  };
}

/** A shape with one axis of another length. */
export function withAxis(shape: Shape, axis: number, length: number): number[] {
  return shape.map((n, i) => (i === axis ? length : n));
}
