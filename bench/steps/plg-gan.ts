import { createStore, type StateDict } from "../../src/engine/store.ts";
import { playerState, playerUpdates } from "../../src/priors/adversaries.ts";
import { DISCRIMINATOR, GENERATOR } from "../../src/priors/prior.ts";
import { hingePlayers } from "../../src/priors/train-hinge.ts";
import { plgGuide } from "../../src/priors/train-plg.ts";
import type { PlgGanSpec } from "../case.ts";
import { plgSettings, priorNetworks } from "./prior.ts";
import { jointNorm, type Step } from "./step.ts";
import { targetOf } from "./target.ts";

/**
 * A step of the critic or of the generator in `trainPlg`. The state holds `z` [N, latent], `real` [N, 3, S, S], the classes `wanted` and
 * `realClasses` [N], one draw of `views`, and the attacked classifier beside both networks' weights.
 */
export function plgGanStep(spec: PlgGanSpec, state: StateDict): Step {
  const settings = { ...plgSettings(spec.priorWidth), batch: spec.batch };
  const guide = plgGuide((images) => targetOf(spec, state).logits(images), settings);
  const players = hingePlayers(priorNetworks(spec), spec.classes, settings, guide);
  const learner = spec.kind === "plg-critic" ? players.critic : players.generator;
  const held = Object.entries(state).filter(([name]) => name.startsWith(GENERATOR) || name.startsWith(DISCRIMINATOR));
  const store = createStore({ ...Object.fromEntries(held), ...playerState(learner) });
  const drawn = Object.entries(state).flatMap(([name, { data }]) =>
    /^(?:z|real|views\/.*)$/.test(name) ? [[name, data]] : [],
  );
  const classes = ["wanted", "realClasses"].map((name) => [name, Int32Array.from(state[name]!.data)]);
  return {
    outputs: { loss: learner.loss },
    updates: playerUpdates(learner),
    store,
    feeds: Object.fromEntries([...drawn, ...classes]),
    // β₁ is 0: the slot is the gradient itself.
    gradientNorm: () =>
      jointNorm(
        learner.weights.map((w) => ({ slot: store.get(`${learner.plan.name}/${w.leaf!.name}/mean`).data, scale: 1 })),
      ),
  };
}
