import { input, type Value } from "../../src/engine/graph.ts";
import { neg } from "../../src/engine/ops/elementwise.ts";
import { mean } from "../../src/engine/ops/reduce.ts";
import { createStore, type StateDict } from "../../src/engine/store.ts";
import { bindNetworks, type Player, player, playerState, playerUpdates } from "../../src/priors/adversaries.ts";
import { wganGpLoss } from "../../src/priors/train-wgan-gp.ts";
import type { GanSpec } from "../case.ts";
import { dcganSettings, priorNetworks } from "./prior.ts";
import { jointNorm, type Step } from "./step.ts";

/** β₁ of both players' Adam. */
const FIRST_BETA = 0.5;

/** A step of the critic or of the generator in `trainWganGp`; `z`, `real` and `alpha` are in the state beside the weights. */
export function ganStep(spec: GanSpec, state: StateDict): Step {
  const networks = priorNetworks(spec);
  const settings = dcganSettings(spec.priorWidth);
  const bound = bindNetworks(networks, input("z", state.z!.shape));
  const score = (x: Value) => networks.naturalness(bound.discriminator.apply(networks.discriminator, x));
  let learner: Player;
  let feeds: Step["feeds"] = { z: state.z!.data };
  if (spec.kind === "critic") {
    const [real, alpha] = [input("real", state.real!.shape), input("alpha", state.alpha!.shape)];
    const loss = wganGpLoss({ critic: score, real, fake: bound.fake, alpha, penalty: settings.penalty });
    learner = player("critic", settings.rate, loss, bound.discriminator);
    feeds = { ...feeds, real: state.real!.data, alpha: state.alpha!.data };
  } else {
    const loss = neg(mean(score(bound.fake)));
    learner = player("generator", settings.rate, loss, bound.generator, bound.generator.updates);
  }
  const held = Object.entries(state).filter(([name]) => name.includes("/"));
  const store = createStore({ ...Object.fromEntries(held), ...playerState(learner) });
  return {
    outputs: { loss: learner.loss },
    updates: playerUpdates(learner),
    store,
    feeds,
    gradientNorm: () =>
      jointNorm(
        learner.weights.map((w) => ({
          slot: store.get(`${learner.plan.name}/${w.leaf!.name}/mean`).data,
          scale: 1 / (1 - FIRST_BETA),
        })),
      ),
  };
}
