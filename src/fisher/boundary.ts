import type { LayerFisher } from "./fisher.ts";

/** A stage in the two tasks. */
export interface StageShares {
  readonly stage: string;
  /** The mean Fisher information over the parameters of its convolutions and linear layers. */
  readonly classification: number;
  readonly inversion: number;
  /** The shares of all stages' information that lie in this stage and those before it. */
  readonly frozen: { readonly classification: number; readonly inversion: number };
}

/** Where Fisher information would cut a model. */
export interface RecommendedBoundary {
  /** The last frozen stage; null where no cut takes more from inversion than from classification. */
  readonly boundary: string | null;
  readonly stages: readonly StageShares[];
}

/**
 * The cut after which the frozen stages hold most more of the inversion task's information than of the classification task's:
 * argmax over stages s of Σ_{i ≤ s} (I_i / ΣI − C_i / ΣC), the earliest of several. Shares, because the two losses have no common
 * scale; means over parameters, as Ho et al. (2024, figure 1) plot them, because late layers have most parameters; kernels alone,
 * because a norm has few parameters of a size of their own; stages alone, because the head is trained wherever the cut is.
 * @param classification, inversion the same layers of the same model
 */
export function recommendBoundary(
  classification: readonly LayerFisher[],
  inversion: readonly LayerFisher[],
): RecommendedBoundary {
  const [c, i] = [stageMeans(classification), stageMeans(inversion)];
  const total = (means: ReadonlyMap<string, number>) => [...means.values()].reduce((a, b) => a + b, 0);
  const [allC, allI] = [total(c), total(i)];
  const sofar = { classification: 0, inversion: 0 };
  const stages = [...c].map(([stage, mean]): StageShares => {
    sofar.classification += share(mean, allC);
    sofar.inversion += share(i.get(stage)!, allI);
    return { stage, classification: mean, inversion: i.get(stage)!, frozen: { ...sofar } };
  });
  // The last stages end at 1 and 1, up to rounding.
  let best: { stage: string | null; gap: number } = { stage: null, gap: 1e-9 };
  for (const { stage, frozen } of stages) {
    const gap = frozen.inversion - frozen.classification;
    if (gap > best.gap) best = { stage, gap };
  }
  return { boundary: best.stage, stages };
}

/** A task without information says nothing of any stage. */
const share = (mean: number, all: number) => (all > 0 ? mean / all : 0);

function stageMeans(layers: readonly LayerFisher[]): Map<string, number> {
  const kernels = layers.flatMap(({ stage, kernel, ...l }) => (kernel && stage !== null ? [{ ...l, stage }] : []));
  return new Map(
    [...new Set(kernels.map((l) => l.stage))].map((stage) => {
      const own = kernels.filter((l) => l.stage === stage);
      const parameters = own.reduce((n, l) => n + l.parameters, 0);
      return [stage, own.reduce((n, l) => n + l.fisher * l.parameters, 0) / parameters];
    }),
  );
}
