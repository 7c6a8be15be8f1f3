import { openTarget } from "../../src/attacks/access.ts";
import { gmi } from "../../src/attacks/gmi.ts";
import { identityLossRows } from "../../src/attacks/identity-loss.ts";
import { kedmi } from "../../src/attacks/kedmi.ts";
import { queryMeter } from "../../src/attacks/queries.ts";
import { labelInput } from "../../src/attacks/search.ts";
import { grad } from "../../src/engine/autodiff.ts";
import { input, parameter } from "../../src/engine/graph.ts";
import { add, clamp, exp, mul, sub } from "../../src/engine/ops/elementwise.ts";
import { oneHot } from "../../src/engine/ops/movement.ts";
import { mean, sum } from "../../src/engine/ops/reduce.ts";
import { adam, optimizerState, optimizerUpdates } from "../../src/engine/optimizer.ts";
import { constantRate } from "../../src/engine/schedule.ts";
import { createStore, type StateDict } from "../../src/engine/store.ts";
import { filled } from "../../src/engine/tensor.ts";
import { weightsUnder } from "../../src/priors/prior.ts";
import { fixedPrior } from "../../src/priors/synthesize.ts";
import type { AttackSpec } from "../case.ts";
import { buildClassifier } from "./model.ts";
import { priorOf } from "./prior.ts";
import { jointNorm, type Step } from "./step.ts";

/** Where a case's state holds the attacked classifier. */
export const TARGET = "target/";

function setting(spec: AttackSpec, state: StateDict) {
  const { target } = openTarget("white-box", buildClassifier(spec), weightsUnder(TARGET, state), queryMeter());
  const wanted = oneHot(labelInput(spec.batch), spec.classes);
  return { target, wanted, labels: Int32Array.from(state.labels!.data), ...fixedPrior(priorOf(spec, state)) };
}

/** GMI's batch in the released code, by which its loss is divided. */
const REFERENCE_BATCH = 60;

/** One iteration of `gmi`: latents [N, latent] under `z`, the attacked classes [N] under `labels`. */
export function gmiStep(spec: AttackSpec, state: StateDict): Step {
  const c = gmi.config.parse({});
  const shape = state.z!.shape;
  const latents = parameter("latents", shape);
  const velocity = parameter("velocity", shape);
  const { target, wanted, labels, synthesize, naturalness } = setting(spec, state);
  const images = synthesize(latents);
  const identity = sum(identityLossRows(c.identityLoss, target.logits(images), wanted));
  const natural = sum(naturalness(images));
  const loss = mul(sub(mul(identity, c.identityWeight), natural), 1 / REFERENCE_BATCH);
  const [g] = grad(loss, [latents]);
  const next = sub(mul(velocity, c.momentum), mul(g!, c.rate));
  const moved = add(sub(latents, mul(velocity, c.momentum)), mul(next, 1 + c.momentum));
  const store = createStore({ latents: state.z!, velocity: filled(shape, 0) });
  return {
    outputs: { loss, identity: mul(identity, 1 / spec.batch), naturalness: mul(natural, 1 / spec.batch) },
    updates: { latents: clamp(moved, -c.clamp, c.clamp), velocity: next },
    store,
    feeds: { labels },
    gradientNorm: () => jointNorm([{ slot: store.get("velocity").data, scale: 1 / c.rate }]),
  };
}

/** One iteration of `kedmi`: the Gaussians' means start at `z`, and `noise` [N, latent] is drawn once. */
export function kedmiStep(spec: AttackSpec, state: StateDict): Step {
  const c = kedmi.config.parse({});
  const shape = state.z!.shape;
  const mu = parameter("mu", shape);
  const logVariance = parameter("logVariance", shape);
  const noise = input("noise", shape);
  const { target, wanted, labels, synthesize, naturalness } = setting(spec, state);
  const images = synthesize(clamp(add(mu, mul(exp(mul(logVariance, 0.5)), noise)), -c.clamp, c.clamp));
  const identity = mean(identityLossRows(c.identityLoss, target.logits(images), wanted));
  const natural = mean(naturalness(images));
  const loss = sub(mul(identity, c.identityWeight), natural);
  const variables = [mu, logVariance];
  const plan = { name: "optimizer", optimizer: adam(), rate: constantRate(c.rate) };
  const store = createStore({
    mu: state.z!,
    logVariance: filled(shape, c.initialLogVariance),
    ...optimizerState(plan, variables),
  });
  return {
    outputs: { loss, identity, naturalness: natural },
    updates: optimizerUpdates(plan, variables, grad(loss, variables)),
    store,
    feeds: { labels, noise: state.noise!.data },
    gradientNorm: () =>
      jointNorm(
        variables.map((v) => ({ slot: store.get(`${plan.name}/${v.leaf!.name}/mean`).data, scale: 1 / (1 - 0.9) })),
      ),
  };
}
