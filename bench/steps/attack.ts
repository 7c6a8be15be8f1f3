import { openTarget } from "../../src/attacks/access.ts";
import { gmi, gmiIteration } from "../../src/attacks/gmi.ts";
import { kedmi, kedmiIteration } from "../../src/attacks/kedmi.ts";
import { queryMeter } from "../../src/attacks/queries.ts";
import { createStore, type StateDict } from "../../src/engine/store.ts";
import { filled } from "../../src/engine/tensor.ts";
import { weightsUnder } from "../../src/priors/prior.ts";
import type { AttackSpec } from "../case.ts";
import { buildClassifier } from "./model.ts";
import { priorOf } from "./prior.ts";
import { jointNorm, type Step } from "./step.ts";

/** Where a case's state holds the attacked classifier. */
export const TARGET = "target/";

/** β₁ of KEDMI's Adam. */
const FIRST_BETA = 0.9;

function targetOf(spec: AttackSpec, state: StateDict) {
  return openTarget("white-box", buildClassifier(spec), weightsUnder(TARGET, state), queryMeter()).target;
}

const labelsIn = (state: StateDict) => Int32Array.from(state.labels!.data);

/** One iteration of `gmi`: latents [N, latent] under `z`, the attacked classes [N] under `labels`. */
export function gmiStep(spec: AttackSpec, state: StateDict): Step {
  const c = gmi.config.parse({});
  const store = createStore({ latents: state.z!, velocity: filled(state.z!.shape, 0) });
  const { outputs, updates } = gmiIteration(targetOf(spec, state), priorOf(spec, state), spec.batch, c);
  return {
    outputs,
    updates,
    store,
    feeds: { labels: labelsIn(state) },
    gradientNorm: () => jointNorm([{ slot: store.get("velocity").data, scale: 1 / c.rate }]),
  };
}

/** One iteration of `kedmi`: the Gaussians' means start at `z`, and `noise` [N, latent] is drawn once. */
export function kedmiStep(spec: AttackSpec, state: StateDict): Step {
  const c = kedmi.config.parse({});
  const { slots, outputs, updates } = kedmiIteration(targetOf(spec, state), priorOf(spec, state), spec.batch, c);
  const variables = { mu: state.z!, logVariance: filled(state.z!.shape, c.initialLogVariance) };
  const store = createStore({ ...variables, ...slots });
  return {
    outputs,
    updates,
    store,
    feeds: { labels: labelsIn(state), noise: state.noise!.data },
    gradientNorm: () =>
      jointNorm(
        Object.keys(variables).map((name) => ({
          slot: store.get(`optimizer/${name}/mean`).data,
          scale: 1 / (1 - FIRST_BETA),
        })),
      ),
  };
}
