import type { LayerFisher } from "./fisher.ts";

/** A stage in the two tasks. */
export interface StageShares {
  readonly stage: string;
  /** The mean Fisher information over the parameters of its convolutions and linear layers. */
  readonly classification: number;
  readonly inversion: number;
  /** The shares of all stages' information, summed over parameters, that lie in this stage and those before it. */
  readonly frozen: { readonly classification: number; readonly inversion: number };
}

/** Where Fisher information would cut a model. */
export interface RecommendedBoundary {
  /** The last frozen stage; null where the inversion task has no information at all. */
  readonly boundary: string | null;
  readonly stages: readonly StageShares[];
}

/** The share of inversion's information that frozen stages have to hold (docs/fisher.md says what it was chosen on). */
const FROZEN_SHARE = 0.75;

/**
 * The earliest cut whose frozen stages hold three quarters of the inversion task's information: what private images may still change is a
 * quarter of what an attack follows. Information is summed over parameters, since it adds up over them; of kernels alone, because a norm
 * has few parameters of a size of their own; of stages alone, because the head is trained wherever the cut is.
 * @param classification, inversion the same layers of the same model
 */
export function recommendBoundary(
  classification: readonly LayerFisher[],
  inversion: readonly LayerFisher[],
): RecommendedBoundary {
  const [c, i] = [stageSums(classification), stageSums(inversion)];
  const [allC, allI] = [total(c), total(i)];
  const frozen = { classification: 0, inversion: 0 };
  const stages = [...c].map(([stage, { parameters, information }]): StageShares => {
    const inverted = i.get(stage)!.information;
    frozen.classification += information;
    frozen.inversion += inverted;
    return {
      stage,
      classification: information / parameters,
      inversion: inverted / parameters,
      frozen: { classification: share(frozen.classification, allC), inversion: share(frozen.inversion, allI) },
    };
  });
  const cut = stages.find((stage) => stage.frozen.inversion >= FROZEN_SHARE);
  return { boundary: cut?.stage ?? null, stages };
}

/** What a stage's kernels hold. */
interface StageSum {
  readonly parameters: number;
  readonly information: number;
}

const total = (sums: ReadonlyMap<string, StageSum>) => [...sums.values()].reduce((all, s) => all + s.information, 0);

/** A task without information says nothing of any stage. */
const share = (part: number, all: number) => (all > 0 ? part / all : 0);

function stageSums(layers: readonly LayerFisher[]): Map<string, StageSum> {
  const sums = new Map<string, StageSum>();
  for (const { stage, kernel, parameters, fisher } of layers) {
    if (!kernel || stage === null) continue;
    const before = sums.get(stage) ?? { parameters: 0, information: 0 };
    sums.set(stage, {
      parameters: before.parameters + parameters,
      information: before.information + fisher * parameters,
    });
  }
  return sums;
}
