import type { Held } from "../../engine/import/held.ts";
import type { OnnxNode } from "../../engine/import/node.ts";
import { printable } from "../../engine/import/refusal.ts";
import { LAYERS } from "./segments.ts";

/** Names that say nothing: PyTorch's numbers, what it calls weights that it has changed, and constants. */
const MEANINGLESS = /^(\d+|onnx::.*|val_\d+|.*Constant.*)$/;

/** `layer1.0.conv1.weight` → `layer1.0.conv1`; slashes separate as dots do. */
function moduleOf(name: string): string {
  const parts = name.replaceAll(/^[/.]+|:\d+$/g, "").split(/[/.]+/);
  return parts.length > 1 ? parts.slice(0, -1).join(".") : parts[0]!;
}

function commonPrefix(paths: readonly string[]): string {
  const split = paths.map((path) => path.split("."));
  const first = split[0] ?? [];
  const length = first.findIndex((part, i) => split.some((parts) => parts[i] !== part));
  return first.slice(0, length < 0 ? first.length : length).join(".");
}

/** The modules that a part of the graph belongs to: those of its layers' weights, else of all its weights, else of its nodes' names. */
function modulesOf(nodes: readonly OnnxNode[], names: ReadonlyMap<string, Held>): string[] {
  const ofWeights = (part: readonly OnnxNode[]) =>
    part
      .flatMap((node) => node.inputs)
      .filter((name) => names.get(name)?.weight !== undefined && !MEANINGLESS.test(name))
      .map(moduleOf);
  const layers = ofWeights(nodes.filter(({ op }) => LAYERS.includes(op)));
  if (layers.length > 0) return layers;
  const all = ofWeights(nodes);
  if (all.length > 0) return all;
  const places = nodes.map((node) => node.name.replaceAll('"', "")).filter((name) => name.includes("/"));
  return places.map(moduleOf);
}

const depth = (path: string) => (path === "" ? 0 : path.split(".").length);

/**
 * What stages are called, each by its nodes: the module that all its layers belong to (`layer1.0`), or that of the first where they
 * have none in common; undefined where the file has no names that mean anything. What all names begin with is left out if it is long,
 * as TensorFlow's is.
 */
export function moduleNames(
  stages: readonly (readonly OnnxNode[])[],
  names: ReadonlyMap<string, Held>,
): (string | undefined)[] {
  const modules = stages.map((nodes) => modulesOf(nodes, names));
  const root = commonPrefix(modules.flat());
  const skipped = depth(root) > 1 ? depth(root) : 0;
  return modules.map((paths) => {
    const [first] = paths;
    if (first === undefined) return undefined;
    const own = commonPrefix(paths);
    const name =
      own !== root
        ? own
        : root === ""
          ? first
          : first
              .split(".")
              .slice(0, depth(root) + 1)
              .join(".");
    return name.split(".").slice(skipped).join(".") || name;
  });
}

/** Names for all stages, each once: `stage3` where the file says nothing, `fc-2` where it says the same twice. */
export function uniqueNames(wanted: readonly (string | undefined)[]): string[] {
  const taken = new Set<string>();
  return wanted.map((name, i) => {
    const base = name === undefined ? `stage${i + 1}` : printable(name);
    let unique = base;
    for (let k = 2; taken.has(unique); k++) unique = `${base}-${k}`;
    taken.add(unique);
    return unique;
  });
}

/** The store's name of a weight: the file's, unless that is a plain word such as `images`, which a program's input may have too. */
export function weightName(name: string): string {
  return /^[a-z]+$/.test(name) ? `weights.${name}` : name;
}
