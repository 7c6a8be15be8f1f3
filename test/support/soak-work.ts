import { gmi } from "../../src/attacks/gmi.ts";
import { runAttack } from "../../src/attacks/run-attack.ts";
import { setThreads } from "../../src/engine/runtime.ts";
import { unwatched } from "../../src/engine/work.ts";
import { IDENTITIES, tinyModel, tinyWorld, trainedTarget } from "./tiny-world.ts";

/** What `npm run soak` does over and over: opens the tiny world's target, attacks it by GMI, and gives everything back. */
export async function openSoak(): Promise<(round: number) => Promise<{ readonly iterations: number }>> {
  setThreads(1);
  const { priors } = await tinyWorld();
  const state = await trainedTarget();
  const config = gmi.config.parse({ iterations: 200, rate: 0.1, batch: 16 });
  const identities = Array.from({ length: IDENTITIES }, (_, i) => i);
  return async (round) => {
    let iterations = 0;
    const work = { ...unwatched, progress: () => void iterations++ };
    const common = { attack: gmi, model: tinyModel(), state, prior: priors.dcgan, identities, perIdentity: 4, config };
    await runAttack({ ...common, seed: round, work });
    return { iterations };
  };
}
