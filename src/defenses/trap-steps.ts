import { grad } from "../engine/autodiff.ts";
import { input, parameter, type Value } from "../engine/graph.ts";
import { softplus } from "../engine/ops/activation.ts";
import { clamp } from "../engine/ops/clamp.ts";
import { add, mul, neg, sign, sub } from "../engine/ops/elementwise.ts";
import { crossEntropy } from "../engine/ops/loss.ts";
import { concat, gather, oneHot, sliceAxis } from "../engine/ops/movement.ts";
import { mean } from "../engine/ops/reduce.ts";
import { optimizerState, optimizerUpdates } from "../engine/optimizer.ts";
import { random, seedFor } from "../engine/random.ts";
import { orRelease, releaseAll } from "../engine/release.ts";
import { compile, type Program, type ProgramOptions } from "../engine/runtime.ts";
import { sizeOf } from "../engine/shape.ts";
import { tensor } from "../engine/tensor.ts";
import { initialState, trainable } from "../models/bind.ts";
import { shuffled } from "../models/feed.ts";
import { forward } from "../models/forward.ts";
import { linear } from "../models/layers.ts";
import { logitsLayer, type Model, withHead } from "../models/model.ts";
import { fillTargets, type StepMaker, type Steps } from "../models/train.ts";
import { affineViews, drawView } from "./affine-views.ts";

/** How images carry triggers, and what that weighs. */
export interface Trap {
  readonly blend: number;
  readonly weight: number;
  readonly step: number;
}

/** Names in the store. */
export const TRIGGERS = "trap/triggers";
const DISCRIMINATOR = "trap/discriminator/";

/**
 * Steps of Trap-MID (Liu & Chen 2024, algorithm 1). Each class has a trigger κ of an image's size, uniform in [0, 1] at first; an image
 * carries it as x′ = (1 − α)·x + α·κ. A step moves, in turn, a discriminator of x and x′ (the model's architecture with one output);
 * the triggers, by the sign of their gradient, to deceive the discriminator and to be recognised; and the model, on
 * (1 − β)·loss(x, y) + β·CE(x′, y_trap), both seen in random views. Trapped classes take turns.
 */
export function trapSteps({ blend, weight, step: stride }: Trap, model: Model): StepMaker {
  return async ({ training, store, plan, batch }): Promise<Steps> => {
    const { objective, targets, name, seed, train: set } = training;
    const width = targets[0]!.length;
    const size = [set.channels, set.height, set.width];
    const images = input("images", [batch, ...size]);
    const t = input("targets", [batch, width]);
    const trapped = input("trapped", [batch], "int32");
    const wanted = oneHot(trapped, width);
    const triggers = parameter(TRIGGERS, [targets.length, ...size]);
    const carrying = add(mul(images, 1 - blend), mul(gather(triggers, trapped), blend));

    const judge = logitsLayer(withHead({ ...model, classes: 1 }, linear("fc", model.features, 1)));
    const judging = trainable({ training: true, prefix: DISCRIMINATOR });
    const both = judging.apply(judge, concat([images, carrying], 0));
    const doubt = mean(softplus(neg(sliceAxis(both, 0, 0, batch))));
    const caught = mean(softplus(sliceAxis(both, 0, batch, 2 * batch)));
    const judgePlan = { ...plan, name: "trap/optimizer" };
    const judgeWeights = judging.trained();
    const gradients = grad(add(doubt, caught), judgeWeights);

    // The discriminator and the model as they are in use: their norms keep their statistics.
    const settled = trainable({ training: false, prefix: DISCRIMINATOR });
    const seen = affineViews(carrying, "trigger");
    const recognised = forward(training, batch, false, seen.images);
    const visible = mean(softplus(neg(settled.apply(judge, carrying))));
    const [slope] = grad(add(visible, crossEntropy(recognised.outputs, wanted)), [triggers]);

    const views = affineViews(concat([images, carrying], 0), "model");
    const net = forward(training, 2 * batch, true, views.images);
    const plain = (v: Value) => sliceAxis(v, 0, 0, batch);
    const logits = plain(net.outputs);
    const view = { images: plain(net.view.images), observed: (of: string) => plain(net.view.observed(of)) };
    const caughtBy = crossEntropy(sliceAxis(net.outputs, 0, batch, 2 * batch), wanted);
    const loss = add(mul(objective.loss(logits, t, view), 1 - weight), mul(caughtBy, weight));

    const first = random(seed, name, "triggers").uniforms(sizeOf(triggers.shape));
    store.add({ [TRIGGERS]: tensor(first, triggers.shape) });
    const own = initialState(judge.weights, seedFor(seed, name, "discriminator"));
    store.add(Object.fromEntries(Object.entries(own).map(([of, v]) => [`${DISCRIMINATOR}${of}`, v])));
    store.add(optimizerState(judgePlan, judgeWeights));
    store.add(optimizerState(plan, net.weights));
    const opened: Program[] = [];
    const open = async (options: ProgramOptions) => {
      const program = await compile(options);
      opened.push(program);
      return program;
    };
    const close = () => releaseAll(opened.map(({ release }) => release));
    const programs = await orRelease(close, async () => ({
      discriminate: await open({
        outputs: { loss: add(doubt, caught) },
        updates: { ...judging.updates, ...optimizerUpdates(judgePlan, judgeWeights, gradients) },
        store,
      }),
      trigger: await open({
        outputs: {},
        updates: { [TRIGGERS]: clamp(sub(triggers, mul(sign(slope!), stride)), 0, 1) },
        store,
      }),
      learn: await open({
        outputs: { loss, score: mean(objective.score(logits, t)) },
        updates: { ...net.updates, ...optimizerUpdates(plan, net.weights, grad(loss, net.weights)) },
        store,
      }),
    }));

    const fed = new Float32Array(batch * width);
    let order: ReturnType<typeof shuffled> | undefined;
    return {
      open(from) {
        order = shuffled(training, batch, from);
      },
      async take(step, share) {
        const next = (await order!.next()).value!;
        fillTargets(fed, next.labels, targets, share);
        const rng = random(seed, name, "views", step);
        const draw = (count: number) => Array.from({ length: count }, () => drawView(rng));
        const noises = Object.entries({ ...recognised.noises, ...net.noises }).map(([of, v]) => [
          v.leaf!.name,
          random(seed, name, "noise", of, step).normals(sizeOf(v.shape)),
        ]);
        const all = {
          images: next.images,
          targets: fed,
          trapped: inTurn(step * batch, batch, targets.length, seedFor(seed, name, "trapped")),
          ...seen.feeds(draw(batch)),
          ...views.feeds(draw(2 * batch)),
          ...Object.fromEntries(noises),
        };
        await programs.discriminate.run(all);
        await programs.trigger.run(all);
        const result = await programs.learn.run(all);
        return { loss: result.loss!.data[0]!, score: result.score!.data[0]! };
      },
      release: () => releaseAll([close, () => order?.return()]),
    };
  };
}

/** Classes `from` … of an endless row of permutations of all classes. */
function inTurn(from: number, count: number, classes: number, seed: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => {
    const round = Math.floor((from + i) / classes);
    return random(seed, round).permutation(classes)[(from + i) % classes]!;
  });
}
