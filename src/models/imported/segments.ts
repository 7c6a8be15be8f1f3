import type { Held } from "../../engine/import/held.ts";
import type { OnnxNode } from "../../engine/import/node.ts";

/** A run of nodes that reads one activation and hands on one. */
export interface Segment {
  /** Name of the activation that it reads. */
  readonly from: string;
  /** Name of the activation that it hands on. */
  readonly to: string;
  /** Its nodes that compute activations, in order. */
  readonly nodes: readonly OnnxNode[];
}

/** Operators with which a layer begins: whatever else has weights (a norm, a slope, a shift) belongs to the layer before it. */
export const LAYERS: readonly string[] = ["Conv", "ConvTranspose", "Gemm", "MatMul", "com.microsoft.FusedConv"];

const isActivation = (held: Held | undefined) => held?.fed === true;

/**
 * Cuts a graph wherever one activation tensor alone passes on. Numbers that are known, weights and shapes pass freely.
 * @param names everything that the graph computes, traced from its input
 */
export function cutGraph(
  nodes: readonly OnnxNode[],
  names: ReadonlyMap<string, Held>,
  input: string,
  output: string,
): Segment[] {
  const computing = nodes.filter((node) => node.outputs.some((name) => isActivation(names.get(name))));
  const lastReader = new Map([[output, computing.length]]);
  for (const [i, node] of computing.entries())
    for (const name of node.inputs) if (name !== output && isActivation(names.get(name))) lastReader.set(name, i);

  const segments: Segment[] = [];
  const live = new Set([input]);
  let from = input;
  let start = 0;
  for (const [i, node] of computing.entries()) {
    for (const name of node.outputs) if (isActivation(names.get(name))) live.add(name);
    for (const name of live) if ((lastReader.get(name) ?? -1) <= i) live.delete(name);
    if (live.size !== 1) continue;
    const [to] = live as Set<string>;
    segments.push({ from, to: to!, nodes: computing.slice(start, i + 1) });
    from = to!;
    start = i + 1;
  }
  return segments;
}

/** Whether a layer with weights of its own begins in the node. */
export function beginsLayer(node: OnnxNode, names: ReadonlyMap<string, Held>): boolean {
  return LAYERS.includes(node.op) && node.inputs.some((name) => !isActivation(names.get(name)));
}

/** Segments joined so that each has a layer: one without joins the one before it, at the beginning the one behind it. */
export function joinSegments(segments: readonly Segment[], names: ReadonlyMap<string, Held>): Segment[] {
  const joined: Segment[] = [];
  const join = (a: Segment, b: Segment): Segment => ({ from: a.from, to: b.to, nodes: [...a.nodes, ...b.nodes] });
  const hasLayer = ({ nodes }: Segment) => nodes.some((node) => beginsLayer(node, names));
  for (const segment of segments) {
    const before = joined.at(-1);
    if (before === undefined || (hasLayer(segment) && hasLayer(before))) joined.push(segment);
    else joined[joined.length - 1] = join(before, segment);
  }
  return joined;
}
