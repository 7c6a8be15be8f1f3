import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { seedFor } from "../engine/random.ts";
import { createStore } from "../engine/store.ts";
import { filled } from "../engine/tensor.ts";
import { runLoop, type Work } from "../engine/work.ts";
import { type Chosen, unionOf } from "../models/union.ts";
import type { Prior } from "../priors/prior.ts";
import { type Attack, defineAttack, type Reconstructions } from "./attack.ts";
import { openTuner, tuningSettings } from "./generator-tuning.ts";
import { gmi } from "./gmi.ts";
import { ppa } from "./ppa.ts";
import { labelsOf, takeRows } from "./selection.ts";
import { type SearchSpace, searchSpace } from "./space.ts";
import { surrogatesWanted } from "./surrogates.ts";

/** What it can be built on. */
const bases = [ppa, gmi] as const;

const config = z.strictObject({
  base: unionOf(bases)
    .prefault("ppa")
    .describe("the attack whose search is repeated, with its own keys: ppa, in a StyleGAN2, or gmi, in its GAN"),
  rounds: z.int().min(2).default(2).describe("attacks on each identity, the first with the public generator"),
  pseudoPrivate: z
    .int()
    .positive()
    .default(5)
    .describe(
      "best reconstructions of each identity, of all that the base finds, to which the generator is tuned: 5, or 10 by mmd and ct",
    ),
  ...tuningSettings,
});

const baseOf = ({ kind }: Chosen<(typeof bases)[number]>) =>
  (bases as readonly unknown[] as readonly Attack[]).find((member) => member.kind === kind)!;

/** A base's keys without its kind. */
function keysOf<T extends { readonly kind: string }>({ kind: _, ...keys }: T): Omit<T, "kind"> {
  return keys;
}

/**
 * PPDG-MI: another attack, then for each identity a generator of its own, tuned so that images like those that the attack found best become
 * likelier, and the attack again in that generator (section 3). Pseudo-private images stand for private ones, which are never seen. The
 * generator is tuned without its discriminator being trained, as with the paper's StyleGAN2 (section 3.2); the paper's other way, which goes
 * on training small GANs on public and pseudo-private images, is not done. Interrupted, it begins the present identity anew.
 */
export const ppdgMi = defineAttack({
  kind: "ppdg-mi",
  summary: "another attack, again in a generator that is tuned to the best of what it found of each identity",
  paper: "Peng et al., Pseudo-Private Data Guided Model Inversion Attacks, NeurIPS 2024",
  access: "white-box",
  prior: "stylegan",
  priorOf: ({ base }) => baseOf(base).prior!,
  outcome: "images",
  config,
  quick: {
    base: {
      kind: "gmi",
      iterations: 25,
      rate: 0.03,
      identityLoss: "max-margin",
      identityWeight: 20,
      pool: 100,
      clamp: 3,
      candidates: 4,
    },
    pseudoPrivate: 3,
    inversionIterations: 40,
    inversionRate: 0.05,
    tuningIterations: 20,
  },
  space: ({ base }) => baseOf(base).space?.(base),
  surrogates: ({ base }) => (base.kind === "gmi" ? surrogatesWanted(base) : undefined),
  least: ({ base, pseudoPrivate }, perIdentity) => ({
    base: baseOf(base).least!(base, Math.max(pseudoPrivate, perIdentity)),
  }),
  async run(attacked) {
    const { target, prior, space, identities, perIdentity, config: c, seed, work } = attacked;
    const { pseudoPrivate, rounds } = c;
    const { candidates } = c.base;
    const wanted = Math.max(pseudoPrivate, perIdentity);
    if (candidates !== undefined && candidates < wanted)
      throw new UserError(
        `ppdg-mi: base.candidates: ${candidates} candidates are too few to choose ${wanted} images of each identity (pseudoPrivate: ${pseudoPrivate}, reconstructions: ${perIdentity})`,
      );
    const base = baseOf(c.base);
    const common = { ...attacked, config: keysOf(c.base) };
    const first = await base.run({ ...common, perIdentity: pseudoPrivate });

    const styles = base.space?.(c.base);
    const tuner = await openTuner({ prior, space, styles, count: pseudoPrivate, settings: c, seed });
    const length = target.image.reduce((n, a) => n * a, 1);
    const store = createStore({ images: filled([identities.length, perIdentity * length], 0) });
    await runLoop({
      work,
      name: "ppdg-mi",
      total: identities.length,
      unit: "identities",
      store,
      every: 0,
      open: async () => async (at) => {
        const identity = identities[at]!;
        const own = oneByOne(work, identity);
        const rows = Array.from({ length: pseudoPrivate }, (_, i) => at * pseudoPrivate + i);
        let found: Reconstructions = {
          rows: takeRows(first.rows, space.width, rows),
          labels: labelsOf([identity], pseudoPrivate),
        };
        let tuned: Prior = prior;
        let within: SearchSpace = space;
        for (let round = 1; round < rounds; round++) {
          const images = await within.render(found.rows, found.labels);
          const part = seedFor(seed, "ppdg-mi", identity, round);
          tuned = await tuner.tune({ prior: tuned, images, seed: part, work: own });
          if (within !== space) await within.release();
          within = searchSpace(tuned, target.image, styles);
          found = await base.run({
            ...common,
            prior: tuned,
            space: within,
            identities: [identity],
            perIdentity: round + 1 === rounds ? perIdentity : pseudoPrivate,
            seed: part,
            work: own,
          });
        }
        store.get("images").data.set(await within.render(found.rows, found.labels), at * perIdentity * length);
        await within.release();
        return {};
      },
    });
    await tuner.release();
    return { rows: store.get("images").data, labels: labelsOf(identities, perIdentity) };
  },
});

/** Work on one identity: shown and logged like the rest, but kept only as a whole. */
function oneByOne(work: Work, identity: number): Work {
  return {
    signal: work.signal,
    progress: (at) => work.progress(at),
    log: (row) => work.log({ ...row, identity }),
    saveCheckpoint: async () => {},
    loadCheckpoint: async () => undefined,
  };
}
