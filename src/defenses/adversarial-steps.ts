import { grad } from "../engine/autodiff.ts";
import { input } from "../engine/graph.ts";
import { clamp } from "../engine/ops/clamp.ts";
import { add, mul, sign, sub } from "../engine/ops/elementwise.ts";
import { crossEntropy } from "../engine/ops/loss.ts";
import { mean } from "../engine/ops/reduce.ts";
import { optimizerState, optimizerUpdates } from "../engine/optimizer.ts";
import { type Rng, random } from "../engine/random.ts";
import { orRelease, releaseAll } from "../engine/release.ts";
import { compile } from "../engine/runtime.ts";
import { sizeOf } from "../engine/shape.ts";
import { shuffled } from "../models/feed.ts";
import { forward } from "../models/forward.ts";
import { fillTargets, type StepMaker, type Steps } from "../models/train.ts";

/** How images are perturbed towards wrong classes, in units of pixels in [0, 1], and what that weighs in the loss. */
export interface Adversary {
  readonly weight: number;
  readonly epsilon: number;
  readonly step: number;
  readonly iterations: number;
  readonly randomStart: boolean;
}

/**
 * Steps on the objective's loss + weight · cross-entropy of perturbed images and wrong classes. Perturbations are found by projected
 * gradient descent (Madry et al. 2018) towards a class that is drawn uniformly among the wrong ones, against the network as it
 * trains: its norms use the batch's statistics. Running statistics follow the images as they are.
 */
export function adversarialSteps(adversary: Adversary): StepMaker {
  const { weight, epsilon, step: stride, iterations, randomStart } = adversary;
  return async ({ training, store, plan, batch }): Promise<Steps> => {
    const { objective, targets, name, seed, train: set } = training;
    const width = targets[0]!.length;
    const shape = [batch, set.channels, set.height, set.width];
    const [t, wrong] = [input("targets", [batch, width]), input("wrong", [batch, width])];

    const perturbed = input("perturbed", shape);
    const attacked = forward(training, batch, true, perturbed);
    const [slope] = grad(crossEntropy(attacked.outputs, wrong), [perturbed]);
    const original = input("images", shape);
    const moved = sub(perturbed, mul(sign(slope!), stride));
    const held = clamp(sub(moved, original), -epsilon, epsilon);

    const net = forward(training, batch, true);
    const misled = crossEntropy(net.again(perturbed), wrong);
    const loss = add(objective.loss(net.outputs, t, net.view), mul(misled, weight));
    store.add(optimizerState(plan, net.weights));
    const perturb = await compile({ outputs: { perturbed: clamp(add(original, held), 0, 1) }, store });
    const learn = await orRelease(perturb.release, () =>
      compile({
        outputs: { loss, score: mean(objective.score(net.outputs, t)) },
        updates: { ...net.updates, ...optimizerUpdates(plan, net.weights, grad(loss, net.weights)) },
        store,
      }),
    );

    const fed = {
      targets: new Float32Array(batch * width),
      wrong: new Float32Array(batch * width),
      perturbed: new Float32Array(sizeOf(shape)),
    };
    let order: ReturnType<typeof shuffled> | undefined;
    return {
      open(first) {
        order = shuffled(training, batch, first);
      },
      async take(step, share) {
        const { images, labels } = (await order!.next()).value!;
        const rng = random(seed, name, "adversary", step);
        fillTargets(fed.targets, labels, targets, share);
        // Smoothing, above all negative smoothing, is a matter of the right class; the term of the wrong one stays as published.
        fillTargets(fed.wrong, wrongClasses(labels, targets.length, rng), targets, 0);
        for (let i = 0; i < images.length; i++) {
          const start = randomStart ? epsilon * (2 * rng.uniform() - 1) : 0;
          fed.perturbed[i] = Math.min(1, Math.max(0, images[i]! + start));
        }
        const noises = Object.fromEntries(
          Object.entries({ ...attacked.noises, ...net.noises }).map(([of, v]) => [
            v.leaf!.name,
            random(seed, name, "noise", of, step).normals(sizeOf(v.shape)),
          ]),
        );
        const all = { images, ...fed, ...noises };
        for (let i = 0; i < iterations; i++)
          fed.perturbed.set((await perturb.run(all)).perturbed!.data as Float32Array);
        const result = await learn.run(all);
        return { loss: result.loss!.data[0]!, score: result.score!.data[0]! };
      },
      release: () => releaseAll([perturb.release, learn.release, () => order?.return()]),
    };
  };
}

/** For each label a class drawn uniformly among the others. */
export function wrongClasses(labels: Int32Array, classes: number, rng: Rng): Int32Array {
  return labels.map((label) => (label + 1 + rng.int(classes - 1)) % classes);
}
