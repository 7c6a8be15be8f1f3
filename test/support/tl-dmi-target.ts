import { composeDefenses } from "../../src/defenses/compose.ts";
import type { Defense } from "../../src/defenses/defense.ts";
import { tlDmi } from "../../src/defenses/tl-dmi.ts";
import { trainTarget } from "../../src/defenses/train-target.ts";
import type { StateDict } from "../../src/engine/store.ts";
import { unwatched } from "../../src/engine/work.ts";
import { TINY_TRAINING, type TinyWorld, tinyModel, trainTiny } from "./tiny-world.ts";

/** The tiny world's target under TL-DMI, and the public weights that it started from. */
export async function tlDmiTarget(
  world: TinyWorld,
  settings: Readonly<Record<string, unknown>> = { freeze: "layer1" },
): Promise<{ readonly pretrained: StateDict; readonly state: StateDict }> {
  const model = tinyModel();
  const pretrained = await trainTiny(model, world.public, 7);
  const { recipe } = composeDefenses(model, [{ member: tlDmi as Defense, config: tlDmi.config.parse(settings) }]);
  const state = await trainTarget({
    work: unwatched,
    model,
    recipe,
    pretrained,
    train: world.train,
    validation: world.validation,
    settings: TINY_TRAINING,
    seed: 3,
  });
  return { pretrained, state };
}
