import { alignedRows } from "../../src/attacks/align.ts";
import { conditionalIteration } from "../../src/attacks/conditional-search.ts";
import { gmi, gmiIteration } from "../../src/attacks/gmi.ts";
import { kedmi, kedmiIteration } from "../../src/attacks/kedmi.ts";
import { identityRows } from "../../src/attacks/lomma.ts";
import { plgMi } from "../../src/attacks/plg-mi.ts";
import { createStore, type StateDict } from "../../src/engine/store.ts";
import { filled } from "../../src/engine/tensor.ts";
import type { AttackSpec } from "../case.ts";
import { priorOf } from "./prior.ts";
import { jointNorm, type Step } from "./step.ts";
import { targetOf } from "./target.ts";

/** β₁ of KEDMI's Adam. */
const FIRST_BETA = 0.9;

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

/** One iteration of `plg-mi`: latents start at `z`, and its views are drawn once, under the names of the graph's inputs. */
export function plgMiStep(spec: AttackSpec, state: StateDict): Step {
  const c = plgMi.config.parse({});
  const target = targetOf(spec, state);
  const { outputs, updates, slots } = conditionalIteration({
    prior: priorOf(spec, state),
    classes: spec.classes,
    batch: spec.batch,
    config: c,
    judge: (view, wanted, name) =>
      alignedRows(undefined, view, wanted, (v, w, copies) => identityRows(target, undefined, c, v, w, copies), name),
  });
  const store = createStore({ latents: state.z!, ...slots });
  const views = Object.entries(state).flatMap(([name, { data }]) => (name.startsWith("views") ? [[name, data]] : []));
  return {
    outputs,
    updates,
    store,
    feeds: { labels: labelsIn(state), ...Object.fromEntries(views) },
    gradientNorm: () => jointNorm([{ slot: store.get("optimizer/latents/mean").data, scale: 1 / (1 - FIRST_BETA) }]),
  };
}
