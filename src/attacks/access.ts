import { topologicalOrder, type Value } from "../engine/graph.ts";
import { softmax } from "../engine/ops/activation.ts";
import { argMax } from "../engine/ops/reduce.ts";
import { compile, type Program, type ProgramOptions } from "../engine/runtime.ts";
import { sizeOf } from "../engine/shape.ts";
import type { StateDict } from "../engine/store.ts";
import type { Tensor, TensorData } from "../engine/tensor.ts";
import { type Answers, likeliest } from "../models/answers.ts";
import { fixed } from "../models/bind.ts";
import { featureLayer, logitsLayer, type Model, splitAt } from "../models/model.ts";
import { predictor } from "../models/predict.ts";
import type { QueryMeter } from "./queries.ts";

/** What an attack may see of the target. `white-box`: weights and gradients; `scores`: probabilities; `labels`: the predicted class. */
export type Access = "white-box" | "scores" | "labels";

/** What anybody knows of a target. */
interface Known {
  readonly classes: number;
  /** [channels, height, width] of the images it takes, values in [0, 1]. */
  readonly image: readonly [number, number, number];
}

/** The target in the hands of an attack that sees its probabilities (black-box). */
export interface ScoresAccess extends Known {
  /** Probabilities [N, classes] of images [N, C, H, W]; each image is a query. */
  scores(images: Float32Array): Promise<Float32Array>;
}

/** The target in the hands of an attack that sees predicted classes alone (label-only). */
export interface LabelsAccess extends Known {
  /** The likeliest class of each of the images [N, C, H, W]; each image is a query. */
  labels(images: Float32Array): Promise<Int32Array>;
}

/** The target in the hands of a white-box attack: features and logits as differentiable functions of images. */
export interface WhiteBox extends ScoresAccess {
  /**
   * [N, C, H, W] to penultimate features [N, d] and logits [N, classes].
   * @param copies how many of the N images stand for each row of a run; 1 by default
   */
  judge(images: Value, copies?: number): { readonly features: Value; readonly logits: Value };
  /** [N, C, H, W] to logits [N, classes]. */
  logits(images: Value): Value;
  /** The target in two parts; `judge` of images is `tail` of their `prefix`. @throws UserError for a stage that it does not have. */
  cut(boundary: string | null): CutTarget;
  /** Its architecture and its weights, for those who compare them. */
  readonly model: Model;
  readonly state: StateDict;
  /** Compiles a program over `judge` or `logits`, whose runs count as queries. */
  compile(options: ProgramOptions): Promise<CountedProgram>;
}

/** A target cut behind a stage; before the first one for null. */
export interface CutTarget {
  /** [N, C, H, W] to what the stage hands on, [N, …]: no query, whoever computes it. */
  prefix(images: Value): Value;
  /** What the stage hands on to penultimate features and logits; each row that is handed on is a query. `copies` as for `judge`. */
  tail(handed: Value, copies?: number): { readonly features: Value; readonly logits: Value };
}

/** A program that tells the target's meter of its runs. */
export interface CountedProgram extends Program {
  /** @param rows how many rows of each batch count, where the others only fill it up; all by default */
  run(feeds: Readonly<Record<string, TensorData>>, rows?: number): Promise<Record<string, Tensor>>;
}

/** The handle of each access. */
export interface Handles {
  readonly "white-box": WhiteBox;
  readonly scores: ScoresAccess;
  readonly labels: LabelsAccess;
}

/** A handle with what its owner, who is not the attack, must do with it. */
export interface OpenTarget<A extends Access> {
  readonly target: Handles[A];
  release(): Promise<void>;
}

/** Images that a scores or labels handle judges at a time. */
const BATCH = 64;

/**
 * A handle on a target with fixed weights in evaluation mode that can do what the access allows and no more: a label handle's graph
 * ends in class numbers, so scores never leave the runtime. Every query counts on the meter.
 * @param answers what the target's owner makes of its probabilities; whoever has the weights, white-box, passes it by
 */
export function openTarget<A extends Access>(
  access: A,
  model: Model,
  state: StateDict,
  meter: QueryMeter,
  answers?: Answers,
): OpenTarget<A> {
  const openers: { readonly [K in Access]: () => OpenTarget<K> } = {
    "white-box": () => openWhiteBox(model, state, meter),
    scores: () => openScores(model, state, meter, answers),
    labels: () => openLabels(model, state, meter, answers),
  };
  return openers[access]();
}

const known = ({ classes, input }: Model): Known => ({ classes, image: input });

function openScores(model: Model, state: StateDict, meter: QueryMeter, answers?: Answers): OpenTarget<"scores"> {
  const judge = lazyJudge(model, state, softmax, meter);
  const scores = answers === undefined ? judge.of : async (x: Float32Array) => answers(await judge.of(x), x);
  return { target: Object.freeze({ ...known(model), scores }), release: judge.release };
}

function openLabels(model: Model, state: StateDict, meter: QueryMeter, answers?: Answers): OpenTarget<"labels"> {
  const judge = lazyJudge(model, state, answers === undefined ? argMax : softmax, meter);
  // The array is copied to one that holds nothing else.
  const labels = async (images: Float32Array) => {
    const found = await judge.of(images);
    return answers === undefined ? Int32Array.from(found) : likeliest(answers(found, images), model.classes);
  };
  return { target: Object.freeze({ ...known(model), labels }), release: judge.release };
}

function openWhiteBox(model: Model, state: StateDict, meter: QueryMeter): OpenTarget<"white-box"> {
  const net = fixed(state);
  // Of each batch of images the node of its features, with its copies of each row, and the nodes through which gradients go back from there.
  // Weak: a graph may hold a generator of its own, and an attack may build one for each identity.
  const judged = new WeakMap<Value, number>();
  const gradients = new WeakMap<Value, Value>();
  const headed = (features: Value, copies: number) => {
    const watched: Value = {
      ...features,
      ...(features.pullback && {
        pullback(g: Value) {
          const pulled = features.pullback!(g);
          for (const v of pulled) if (v !== null) gradients.set(v, watched);
          return pulled;
        },
      }),
    };
    judged.set(watched, copies);
    return { features: watched, logits: net.apply(model.head, watched) };
  };
  const judge = (images: Value, copies = 1) => headed(net.apply(featureLayer(model), images), copies);
  const scores = lazyJudge(model, state, softmax, meter);
  const target: WhiteBox = {
    ...known(model),
    model,
    state,
    judge,
    cut(boundary) {
      const { frozen, tail } = splitAt(model, boundary);
      return {
        prefix: (images) => net.apply(frozen, images),
        tail: (handed, copies = 1) => headed(net.apply(tail, handed), copies),
      };
    },
    logits: (images) => judge(images).logits,
    scores: scores.of,
    async compile(options) {
      const results = [...Object.values(options.outputs), ...Object.values(options.updates ?? {})];
      const order = topologicalOrder(results);
      const back = new Set(order.flatMap((v) => gradients.get(v) ?? []));
      // A gradient may not need the features' numbers, but it needs what lies before them.
      const batches = new Set([...order.filter((v) => judged.has(v)), ...back]);
      const program = await compile(options);
      return {
        release: () => program.release(),
        run(feeds, rows) {
          for (const v of batches) {
            const count = rows === undefined ? v.shape[0]! : rows * judged.get(v)!;
            meter.add(count, back.has(v) ? count : 0);
          }
          return program.run(feeds);
        },
      };
    },
  };
  return { target: Object.freeze(target), release: scores.release };
}

/** Judges plain images by a function of the logits; compiled when it is first asked. */
function lazyJudge(model: Model, state: StateDict, of: (logits: Value) => Value, meter: QueryMeter) {
  const open = () => {
    const net = fixed(state);
    return predictor(model.input, BATCH, (images) => ({ answer: of(net.apply(logitsLayer(model), images)) }));
  };
  let opened: ReturnType<typeof open> | undefined;
  const length = sizeOf(model.input);
  return {
    async of(images: Float32Array): Promise<Float32Array> {
      opened ??= open();
      const rows = images.length / length;
      const { answer } = await (await opened).predict(images, rows);
      meter.add(rows);
      return answer;
    },
    async release(): Promise<void> {
      await (await opened)?.release();
    },
  };
}
