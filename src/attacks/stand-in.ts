import type { Value } from "../engine/graph.ts";
import { softmax } from "../engine/ops/activation.ts";
import { add, log, mul } from "../engine/ops/elementwise.ts";
import { compile } from "../engine/runtime.ts";
import { predictor } from "../models/predict.ts";
import type { CountedProgram, ScoresAccess, WhiteBox } from "./access.ts";

/** Copies of a target in the attacker's hands, in the place of the target: it is theirs that gradients go through, and nobody counts. */
export interface StandIn extends ScoresAccess {
  /** Copies' logits [N, classes] of images [N, C, H, W], one after the other. */
  readonly each: readonly ((images: Value) => Value)[];
  /** [N, C, H, W] to the logarithm of the copies' mean probability, [N, classes]. */
  logits(images: Value): Value;
  compile(...options: Parameters<WhiteBox["compile"]>): Promise<CountedProgram>;
  release(): Promise<void>;
}

/** Images that are judged at a time. */
const BATCH = 64;

/** @param each copies of a target of the given shape */
export function standIn(each: StandIn["each"], { classes, image }: Pick<ScoresAccess, "classes" | "image">): StandIn {
  const probabilities = (images: Value) =>
    mul(
      each.map((copy) => softmax(copy(images))).reduce((a, b) => add(a, b)),
      1 / each.length,
    );
  const open = () => predictor(image, BATCH, (images) => ({ scores: probabilities(images) }));
  let opened: ReturnType<typeof open> | undefined;
  return {
    classes,
    image,
    each,
    logits: (images) => log(probabilities(images)),
    async scores(images) {
      opened ??= open();
      return (await (await opened).predict(images, images.length / (image[0] * image[1] * image[2]))).scores;
    },
    compile,
    async release() {
      await (await opened)?.release();
    },
  };
}
