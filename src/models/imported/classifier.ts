import { input, parameter, type Value } from "../../engine/graph.ts";
import type { Scope } from "../../engine/import/call.ts";
import { type Held, heldValue } from "../../engine/import/held.ts";
import type { ImportedGraph } from "../../engine/import/import-onnx.ts";
import type { OnnxNode } from "../../engine/import/node.ts";
import { refusal } from "../../engine/import/refusal.ts";
import { reshape } from "../../engine/ops/movement.ts";
import { sizeOf } from "../../engine/shape.ts";
import type { FloatTensor } from "../../engine/tensor.ts";
import type { Layer, LayerContext, WeightSpec } from "../layer.ts";
import { linear, operation, sequential } from "../layers.ts";
import type { Model, Stage } from "../model.ts";
import { moduleNames, uniqueNames, weightName } from "./names.ts";
import { type ImageFormat, prepare } from "./preprocess.ts";
import { beginsLayer, cutGraph, joinSegments, type Segment } from "./segments.ts";

/** An imported graph as a classifier is made of it. */
export interface ClassifierOptions {
  readonly graph: ImportedGraph;
  /** Name of the graph's input that takes images. */
  readonly imageInput: string;
  readonly format: ImageFormat;
  /** Name of the graph's output: a logit for each class, or the feature vector. */
  readonly output: string;
  /** The output is the feature vector, behind which a new head goes. */
  readonly headless: boolean;
  /** [channels, height, width] of the images that the model takes. */
  readonly image: Model["input"];
  /** Classes that are wanted; with others than the file's, a new linear head takes the place of the file's. */
  readonly classes: number;
}

/** An imported classifier, and whether its head is the file's own. */
export interface ImportedClassifier {
  readonly model: Model;
  readonly ownHead: boolean;
  /** How many classes the file's own head tells apart; undefined where its output is a feature vector. */
  readonly fileClasses?: number;
}

/** A batch that no axis of a network has by chance. */
const TRACED = 3;

/** Stages and head of an imported classifier. @throws UserError where the graph cannot be cut into them. */
export function importedClassifier(options: ClassifierOptions): ImportedClassifier {
  const { graph, imageInput, format, output, headless, image, classes } = options;
  const traces = new Map<number, ReadonlyMap<string, Held>>();
  /** All names of the graph for a batch of so many, with weights that are only named. */
  const traced = (batch: number): ReadonlyMap<string, Held> => {
    const { layout, channels, height, width } = format;
    const shape = layout === "nchw" ? [channels, height, width] : [height, width, channels];
    const names =
      traces.get(batch) ??
      graph.trace({ [imageInput]: input(imageInput, [batch, ...shape]) }, recordingScope(new Map()));
    traces.set(batch, names);
    return names;
  };
  const names = traced(TRACED);
  const segments = cutGraph(graph.nodes, names, imageInput, output);
  const cut = headless ? segments.length : lastLayer(options, segments, names);
  const stageSegments = joinSegments(segments.slice(0, cut), names);
  const featureName = segments[cut]?.from ?? output;
  const featureShape = names.get(featureName)!.shape;
  const features = sizeOf(featureShape) / TRACED;

  const owners = new Map<string, Segment>();
  const layerOf = (segment: Segment): Layer => partLayer(graph, segment, names, traced, ownNames(segment, owners));
  const toImage = operation((x) => prepare(x, format));
  const toVector = operation((x) => reshape(x, [x.shape[0]!, features]));
  const titles = uniqueNames(
    moduleNames(
      stageSegments.map((segment) => segment.nodes),
      names,
    ),
  );
  const layers = stageSegments.length > 0 ? stageSegments.map(layerOf) : [];
  const stages: Stage[] =
    layers.length > 0
      ? layers.map((layer, i) => ({
          name: titles[i]!,
          layer: sequential(...(i === 0 ? [toImage] : []), layer, ...(i === layers.length - 1 ? [toVector] : [])),
        }))
      : [{ name: "input", layer: sequential(toImage, toVector) }];
  const fileClasses = headless ? undefined : sizeOf(names.get(output)!.shape) / TRACED;
  const own = fileClasses === classes;
  const rest = segments.slice(cut).flatMap((segment) => segment.nodes);
  const head = own
    ? sequential(
        operation((x) => reshape(x, [x.shape[0]!, ...featureShape.slice(1)])),
        layerOf({ from: featureName, to: output, nodes: rest }),
        operation((x) => reshape(x, [x.shape[0]!, classes])),
      )
    : linear("head", features, classes);
  return {
    model: { kind: "onnx", stages, head, features, classes, input: image },
    ownHead: own,
    ...(fileClasses !== undefined && { fileClasses }),
  };
}

/** The segment of the last layer, with which the head begins. @throws UserError where there is none */
function lastLayer(
  { graph, output }: ClassifierOptions,
  segments: readonly Segment[],
  names: ReadonlyMap<string, Held>,
): number {
  const last = segments.findLastIndex(({ nodes }) => nodes.some((node) => beginsLayer(node, names)));
  if (last >= 0) return last;
  throw refusal(`${graph.name}: nothing between its input and "${output}" has weights, so there is nothing to train`);
}

/** A part of the graph as a layer. Its weights are those that building it asks for. */
function partLayer(
  graph: ImportedGraph,
  { from, to, nodes }: Segment,
  names: ReadonlyMap<string, Held>,
  traced: (batch: number) => ReadonlyMap<string, Held>,
  naming: (name: string) => string,
): Layer {
  const needed = withConstants(graph, nodes, names);
  const build = (x: Value, scope: Scope): Value => {
    const [batch] = x.shape as [number];
    // Shapes that are computed before this part, or from the batch.
    const known = [...traced(batch)].filter(([, held]) => isNumbers(held));
    const local = new Map([
      ...graph.initializers,
      ...known,
      [from, heldValue(x, { fed: true, weighted: names.get(from)!.weighted })] as const,
    ]);
    graph.part(needed, local, batch, scope);
    return local.get(to)!.value();
  };
  const specs = new Map<string, WeightSpec>();
  build(input(from, [TRACED, ...names.get(from)!.shape.slice(1)]), recordingScope(specs, naming));
  return { weights: [...specs.values()], apply: (x, context) => build(x, layerScope(context, naming)) };
}

/** Names of a part's weights in the store. A weight that another part has too is copied, so that one may train while the other is frozen. */
function ownNames(segment: Segment, owners: Map<string, Segment>): (name: string) => string {
  return (name) => {
    const owner = owners.get(name) ?? segment;
    owners.set(name, owner);
    return weightName(owner === segment ? name : `${name}@${segment.to}`);
  };
}

/** Numbers that are known and no weight: what shape arithmetic gives. */
const isNumbers = (held: Held) => held.known !== undefined && held.weight === undefined && !held.weighted;

/** The nodes, and those that make what they need of weights and constants: in the file's order. */
function withConstants(
  graph: ImportedGraph,
  nodes: readonly OnnxNode[],
  names: ReadonlyMap<string, Held>,
): readonly OnnxNode[] {
  const wanted = new Set(nodes);
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const visit = (node: OnnxNode) => {
    for (const name of node.inputs) {
      const [held, maker] = [names.get(name), makers.get(name)];
      if (held === undefined || maker === undefined || held.fed || isNumbers(held) || wanted.has(maker)) continue;
      wanted.add(maker);
      visit(maker);
    }
  };
  for (const node of nodes) visit(node);
  return graph.nodes.filter((node) => wanted.has(node));
}

/** Writes down every weight that is asked for. */
function recordingScope(specs: Map<string, WeightSpec>, naming = weightName): Scope {
  return {
    training: false,
    update: () => {},
    weight(name, tensor, kind) {
      specs.set(name, { name: naming(name), shape: tensor.shape, kind, initial: () => copied(tensor) });
      return parameter(naming(name), tensor.shape);
    },
  };
}

const copied = ({ data }: FloatTensor) => Float32Array.from(data);

function layerScope(context: LayerContext, naming: (name: string) => string): Scope {
  return {
    training: context.training,
    update: (name, value) => context.update(naming(name), value),
    weight: (name) => context.weight(naming(name)),
  };
}
