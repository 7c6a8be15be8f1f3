import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { input } from "../engine/graph.ts";
import { softmax } from "../engine/ops/activation.ts";
import { random } from "../engine/random.ts";
import { randomViews, type ViewRange } from "../models/random-views.ts";
import type { WhiteBox } from "./access.ts";
import type { Reconstructions } from "./attack.ts";
import type { Leasts } from "./least.ts";
import { highest, labelsOf, takeRows } from "./selection.ts";
import type { SearchSpace } from "./space.ts";

/** Settings of an attack that can end with it. */
export const finalSelectionSettings = {
  candidates: z
    .int()
    .positive()
    .optional()
    .describe(
      "latents found for each identity, of which those are kept that the target recognises best over random views (PPA's final selection); as many as are asked for where it is left out",
    ),
  views: z.int().positive().default(20).describe("random views of each candidate; PPA takes 100"),
};

/** Setting of an attack that can end with it and does not mirror images otherwise. */
export const selectionFlipSetting = {
  flip: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe(
      "probability that the final selection mirrors a candidate's view; 0 for images whose mirror image shows another class; 0.5 where it is left out",
    ),
};

/** The same of an attack whose first selection asks for mirrored images too. */
export const mirroringSetting = {
  flip: selectionFlipSetting.flip.describe(
    "probability that the final selection mirrors a candidate's view; 0 for images whose mirror image shows another class, which the first selection then does not ask for either; 0.5 where it is left out",
  ),
};

/** PPA's views are crops of half to nine tenths of the area. */
const RANGE: ViewRange = { scale: [0.5, 0.9], ratio: [0.8, 1.2], flip: 0.5 };
const BATCH = 64;

/** How many candidates an attack has to find for each identity. @throws UserError if they are fewer than it is asked for. */
export function candidatesFor(attack: string, candidates: number | undefined, perIdentity: number): number {
  if (candidates !== undefined && candidates < perIdentity)
    throw new UserError(
      `${attack}: ${candidates} candidates are too few to keep ${perIdentity} reconstructions of each identity`,
    );
  return candidates ?? perIdentity;
}

/** `least` of an attack that chooses each identity's candidates from a pool, where it has one, and reconstructions from these. */
export function leastCandidates(
  { candidates = 0 }: { readonly candidates?: number | undefined },
  perIdentity: number,
): Leasts {
  return { candidates: perIdentity, pool: Math.max(candidates, perIdentity) };
}

/**
 * For each identity the `perIdentity` candidates with the highest probability of it, averaged over random views of their images: what
 * only fools the target falls with the view, what shows the identity stays (Struppek et al., ICML 2022, section 3.4). Does nothing where no
 * more candidates were found than are asked for. Candidates (`rows` of the space) come identity by identity, equally many of each.
 */
export async function selectFinal(options: {
  readonly target: Pick<WhiteBox, "image" | "classes" | "logits" | "compile">;
  readonly space: SearchSpace;
  readonly identities: readonly number[];
  readonly rows: Float32Array;
  readonly perIdentity: number;
  readonly views: number;
  /** Probability of a mirrored view; 0.5 where it is left out. */
  readonly flip?: number | undefined;
  readonly seed: number;
  readonly signal: AbortSignal;
}): Promise<Reconstructions> {
  const { target, space, identities, rows, perIdentity, views, flip = RANGE.flip, seed, signal } = options;
  const total = rows.length / space.width;
  const candidates = total / identities.length;
  const labels = labelsOf(identities, perIdentity);
  if (candidates === perIdentity) return { rows, labels };

  const images = await space.render(rows, labelsOf(identities, candidates));
  const seen = randomViews(input("images", [BATCH, ...target.image]), { ...RANGE, flip });
  const program = await target.compile({ outputs: { p: softmax(target.logits(seen.images)) } });
  const length = images.length / total;
  const fed = new Float32Array(BATCH * length);
  const score = new Float64Array(total);
  for (let at = 0; at < total; at += BATCH) {
    const count = Math.min(BATCH, total - at);
    fed.set(images.subarray(at * length, (at + count) * length));
    for (let view = 0; view < views; view++) {
      signal.throwIfAborted();
      const { p } = await program.run({ images: fed, ...seen.draw(random(seed, "views", at, view)) }, count);
      for (let i = 0; i < count; i++) {
        const identity = identities[Math.floor((at + i) / candidates)]!;
        score[at + i]! += p!.data[i * target.classes + identity]!;
      }
    }
  }
  await program.release();

  const kept = identities.flatMap((_, i) => {
    const from = i * candidates;
    return highest(candidates, (k) => score[from + k]!, perIdentity).map((k) => from + k);
  });
  return { rows: takeRows(rows, space.width, kept), labels };
}
