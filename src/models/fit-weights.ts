import { UserError } from "../engine/errors.ts";
import { sameShape, showShape } from "../engine/shape.ts";
import type { StateDict } from "../engine/store.ts";
import type { StoredTensor } from "../engine/stored-tensor.ts";
import type { WeightFile } from "../engine/weight-file.ts";
import type { WeightSpec } from "./layer.ts";
import { featureLayer, type Model, weightsOf } from "./model.ts";

/** How a file's tensors go into a model. */
export interface Fit {
  /** What stands before every name in the file, such as `module.`; often empty. */
  readonly prefix: string;
  /** Whether the file's head is the model's own: same names, same number of classes. */
  readonly head: boolean;
  /** Tensors of the file that have no place in the model: heads for other classes, auxiliary classifiers. */
  readonly passedOver: readonly string[];
  /** Reads the stages' tensors, the head's where it fits, and else those of its neck where they fit, which no number of classes changes. */
  read(): StateDict;
}

/** Names that a message shows of each group. */
const SHOWN = 4;
/** Buffers of PyTorch's that nothing here uses or that follow from the architecture: counted batches, places in a window. */
const DERIVED = /(^|\.)(num_batches_tracked|relative_position_index)$/;

/**
 * Finds the place of every tensor of a file by name. Names may have a prefix in common (`module.`, `backbone.`, `feature.`), and an
 * architecture may know other spellings of its names. Every tensor of the stages must be there and have the model's shape. The
 * file's head may differ: then the model's head, but for its neck where that fits, is for others to fill.
 * @throws UserError that lists what is missing, what has another shape and what is unknown.
 */
export function fitWeights(model: Model, file: Pick<WeightFile, "path" | "tensors">): Fit {
  const stages = featureLayer(model).weights;
  const head = weightsOf(model).slice(stages.length);
  const { prefix, named } = bestNames(model, stages, file.tensors);
  const missing = stages.filter(({ name }) => !named.has(name));
  const reshaped = stages.filter((spec) => named.has(spec.name) && !fits(spec, named));
  // A tensor without a place tells of another architecture if it stands in a module of this one (`layer1.2` of a ResNet-34).
  const known = new Set([...stages, ...head].map(({ name }) => name));
  const modules = new Set(stages.map(({ name }) => moduleOf(name)));
  const extra = [...named.keys()].filter((name) => !known.has(name) && !DERIVED.test(name));
  const unknown = extra.filter((name) => modules.has(moduleOf(name)));
  if (missing.length + reshaped.length + unknown.length > 0) {
    const parts = [
      group("missing", missing, ({ name, shape }) => `${name} ${showShape(shape)}`),
      group("of another shape", reshaped, ({ name, shape }) => {
        return `${name} is ${showShape(named.get(name)!.shape)} in the file and ${showShape(shape)} here`;
      }),
      group("unknown", unknown, (name) => name),
    ];
    throw new UserError(
      `${file.path}: its ${file.tensors.size} tensors do not fit ${model.kind}: ${parts.filter((p) => p !== "").join("; ")}; ` +
        "is it a file of this architecture, at this width?",
    );
  }
  const headFits = head.length > 0 && head.every((spec) => fits(spec, named));
  const neck = model.neck?.weights ?? [];
  const brought = headFits ? head : neck.every((spec) => fits(spec, named)) ? neck : [];
  const taken = [...stages, ...brought];
  const places = new Set(taken.map(({ name }) => name));
  const unused = head.map(({ name }) => name).filter((name) => named.has(name) && !places.has(name));
  return {
    prefix,
    head: headFits,
    passedOver: [...extra, ...unused],
    read: () => Object.fromEntries(taken.map(({ name }) => [name, named.get(name)!.read()])),
  };
}

const moduleOf = (name: string) => name.split(".")[0]!;

function fits({ name, shape }: WeightSpec, named: ReadonlyMap<string, StoredTensor>): boolean {
  const found = named.get(name);
  return found !== undefined && sameShape(found.shape, shape);
}

/** The file's tensors by the model's names: without the prefix under which most of the stages' tensors are found. */
function bestNames(model: Model, stages: readonly WeightSpec[], tensors: ReadonlyMap<string, StoredTensor>) {
  const wanted = new Set(stages.map(({ name }) => name));
  const spelled = (name: string) => (wanted.has(name) ? name : (model.respell?.(name) ?? name));
  const without = (prefix: string) =>
    new Map(
      [...tensors].flatMap(([name, stored]) =>
        name.startsWith(prefix) ? [[spelled(name.slice(prefix.length)), stored] as const] : [],
      ),
    );
  let best = { prefix: "", named: without("") };
  let reached = found(best.named, wanted);
  for (const prefix of prefixes(tensors.keys())) {
    const named = without(prefix);
    const count = found(named, wanted);
    if (count > reached) [best, reached] = [{ prefix, named }, count];
  }
  return best;
}

const found = (named: ReadonlyMap<string, unknown>, wanted: ReadonlySet<string>): number =>
  [...wanted].filter((name) => named.has(name)).length;

/** Deepest prefix that is looked for: `module.backbone.encoder.` */
const DEEPEST = 3;

function prefixes(names: Iterable<string>): Set<string> {
  const all = new Set<string>();
  for (const name of names) {
    const parts = name.split(".");
    for (let n = 1; n <= DEEPEST && n < parts.length; n++) all.add(`${parts.slice(0, n).join(".")}.`);
  }
  return all;
}

function group<T>(title: string, list: readonly T[], show: (item: T) => string): string {
  if (list.length === 0) return "";
  const rest = list.length > SHOWN ? `, and ${list.length - SHOWN} more` : "";
  return `${list.length} ${title} (${list.slice(0, SHOWN).map(show).join(", ")}${rest})`;
}
