import { ShapeError, UserError } from "../errors.ts";
import { openCall, type Surroundings } from "./call.ts";
import { constant } from "./folding/create.ts";
import { folds } from "./folding/index.ts";
import { type Held, heldNumbers, heldValue } from "./held.ts";
import type { HostTensor } from "./host.ts";
import { MAX_FOLDED, shapeFault } from "./limits.ts";
import type { OnnxNode } from "./node.ts";
import { once } from "./once.ts";
import { operators } from "./operators/index.ts";
import type { Result } from "./operators/operator.ts";
import { printable, refusal } from "./refusal.ts";

/** Operators that look at the shape of their input alone. */
const SHAPES = ["Shape", "Size"];

/** Whether the importer has a rule for the operator. */
export function isSupported(op: string): boolean {
  return Object.hasOwn(operators, op) || Object.hasOwn(folds, op);
}

/**
 * Goes through nodes in the file's order. What they read must be in `names`; what they make is put there.
 * @throws UserError that names file, node and operator.
 */
export function runNodes(nodes: readonly OnnxNode[], names: Map<string, Held>, surroundings: Surroundings): void {
  for (const node of nodes) {
    const inputs = node.inputs.map((name) => (name === "" ? undefined : found(name, names, node, surroundings.file)));
    const results = located(node, surroundings.file, () => runNode(node, inputs, surroundings));
    for (const [i, name] of node.outputs.entries()) {
      const result = results[i];
      if (name !== "" && result !== undefined) names.set(name, result);
    }
  }
}

function found(name: string, names: ReadonlyMap<string, Held>, node: OnnxNode, file: string): Held {
  const held = names.get(name);
  if (held !== undefined) return held;
  throw refusal(
    `${file}: node ${node.name} (${node.op}) reads "${name}", which no supported output of an earlier node makes`,
  );
}

function runNode(
  node: OnnxNode,
  inputs: readonly (Held | undefined)[],
  surroundings: Surroundings,
): (Held | undefined)[] {
  const { call, used } = openCall(node, inputs, surroundings);
  const given = inputs.filter((held) => held !== undefined);
  const fold = Object.hasOwn(folds, node.op) ? folds[node.op] : undefined;
  const build = Object.hasOwn(operators, node.op) ? operators[node.op] : undefined;
  const shapes = SHAPES.includes(node.op);
  const computable = fold !== undefined && (shapes || given.every((held) => held.known !== undefined));
  const fed = given.some((held) => held.fed);
  const held = (result: Result): Held | undefined => {
    if (result === undefined || !("op" in result)) return result;
    const fault = result.shape.includes(0) ? "no elements" : shapeFault(result.shape);
    if (fault !== undefined) call.fail(`the result would have ${fault}`);
    return heldValue(result, { fed, weighted: used() || given.some((h) => h.weighted) });
  };
  const built = () => [build!(call)].flat().map((result) => held(result as Result));
  const folded = (): HostTensor[] => {
    const results = [fold!(call)].flat() as HostTensor[];
    const fault = results.map(({ shape }) => shapeFault(shape, MAX_FOLDED)).find((f) => f !== undefined);
    return fault === undefined ? results : call.fail(`the result would have ${fault}`);
  };
  // What stands in the file is a weight like any other, of any size.
  if (node.op === "Constant") return [heldNumbers(constant(call) as HostTensor, node.outputs[0])];
  // Numbers that are made of weights stay a computation, so that the weight itself can be trained; they are known all the same.
  if (computable && !(build !== undefined && given.some((h) => h.weight !== undefined || h.weighted))) {
    return folded().map((tensor) => heldNumbers(tensor));
  }
  if (build === undefined) return call.fail("its inputs must be known when the file is imported, they are computed");
  const results = built();
  if (!computable) return results;
  const numbers = once(folded);
  return results.map((result, i) => result && { ...result, known: () => numbers()[i]! });
}

/** Names node and file in front of a rule that was broken while a node was built, and of a tensor in it that cannot be read. */
function located<T>(node: OnnxNode, file: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const told = error instanceof UserError && error.message.startsWith(`${printable(file)}: `);
    if (told || !(error instanceof ShapeError || error instanceof RangeError || error instanceof UserError))
      throw error;
    throw refusal(`${file}: node ${node.name} (${node.op}): ${error.message}`);
  }
}
