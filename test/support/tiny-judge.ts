import { hits } from "../../src/metrics/top-k.ts";
import { classifierPredictor } from "../../src/models/predict.ts";
import { synthesize } from "../../src/priors/synthesize.ts";
import { IDENTITIES, type TinyWorld, tinyModel, trainTiny } from "./tiny-world.ts";

/** The tiny world's evaluation model as a judge of what attacks on it find. */
export async function tinyJudge(world: TinyWorld): Promise<{
  /** Share of latents of the public prior in whose images it sees the class of `labels` first. */
  accuracy(latents: Float32Array, labels: Int32Array): Promise<number>;
  release(): Promise<void>;
}> {
  const model = tinyModel("evaluation");
  const net = await classifierPredictor(model, await trainTiny(model, world.evaluation, 2));
  return {
    async accuracy(latents, labels) {
      const { logits } = await net.predict(await synthesize(world.priors.dcgan, latents), labels.length);
      return hits(logits, labels, IDENTITIES, 1).reduce((sum, hit) => sum + hit, 0) / labels.length;
    },
    release: () => net.release(),
  };
}
