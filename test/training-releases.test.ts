import { beforeAll, describe, expect, test, vi } from "vitest";
import { composeDefenses } from "../src/defenses/compose.ts";
import type { Defense } from "../src/defenses/defense.ts";
import { defenses } from "../src/defenses/index.ts";
import { unwatched } from "../src/engine/work.ts";
import { initialState } from "../src/models/bind.ts";
import { logitsLayer } from "../src/models/model.ts";
import { classification, type Objective, oneHotTargets, type StepMaker, train } from "../src/models/train.ts";
import { IDENTITIES, TINY_TRAINING, type TinyWorld, tinyModel, tinyWorld } from "./support/tiny-world.ts";
import { watchSessions } from "./support/watch-sessions.ts";

const model = tinyModel();
let world: TinyWorld;
beforeAll(async () => {
  world = await tinyWorld();
});

const trained = (objective: Objective, steps?: StepMaker) =>
  train({
    work: unwatched,
    name: "tiny",
    trained: logitsLayer(model),
    start: initialState(logitsLayer(model).weights, 1),
    objective,
    targets: oneHotTargets(IDENTITIES),
    train: world.train,
    validation: world.validation,
    settings: { ...TINY_TRAINING, epochs: 0.1 },
    ...(steps && { steps }),
    seed: 3,
  });

const stepsOf = (kind: string): StepMaker => {
  const member = (defenses as readonly Defense[]).find((defense) => defense.kind === kind)!;
  return composeDefenses(model, [{ member, config: member.config.parse({}) }]).recipe.steps!;
};

/** All asynchronous generators have this. */
const generators = Object.getPrototypeOf(Object.getPrototypeOf((async function* () {})())) as AsyncGenerator;

describe.each<[string, StepMaker | undefined]>([
  ["ordinary steps", undefined],
  ["at-at", stepsOf("at-at")],
  ["trap-mid", stepsOf("trap-mid")],
  ["dp-sgd", stepsOf("dp-sgd")],
])("%s let go", (name, steps) => {
  test("of what they run where the judge of epochs cannot be made", async () => {
    let asked = 0;
    const score: Objective["score"] = (logits, targets) => {
      asked += 1;
      if (asked > 1) throw new RangeError("no score");
      return classification.score(logits, targets);
    };
    const sessions = watchSessions();
    await expect(trained({ ...classification, score }, steps)).rejects.toThrow("no score");
    const { made, released } = sessions.stop();
    expect(made).toBeGreaterThan(0);
    expect(released).toBe(made);
  });

  test.runIf(name !== "dp-sgd")("of the images that they read from", async () => {
    const ended = vi.spyOn(generators, "return");
    try {
      await trained(classification, steps);
      expect(ended).toHaveBeenCalled();
    } finally {
      ended.mockRestore();
    }
  });
});
