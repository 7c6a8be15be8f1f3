import { depthCorrelation } from "../fisher/depth.ts";
import type { FisherRecord } from "../study/fisher.ts";
import { fixed, percent } from "./numbers.ts";

/** Below this chance an order of layers is more than luck. */
const LEVEL = 0.05;
/** Fewer convolutions have no order that luck would not bring. */
const FEWEST = 5;

/**
 * A Fisher analysis in sentences, from its numbers alone: how each task's information goes with depth, and whether the pattern of Ho et
 * al. (2024, figure 1) is there: early layers matter more for inversion, late ones for classification.
 */
export function fisherFindings({ layers, stages, boundary }: FisherRecord): string[] {
  const kernels = layers.filter(({ kernel, stage }) => kernel && stage !== null);
  if (kernels.length < FEWEST)
    return [`The model has ${kernels.length} convolutions, too few to say how information goes with depth.`];
  const half = Math.floor(kernels.length / 2);
  const early = (task: "classification" | "inversion") => {
    const sum = (some: typeof kernels) => some.reduce((all, layer) => all + layer[task], 0);
    return sum(kernels) > 0 ? sum(kernels.slice(0, half)) / sum(kernels) : 0;
  };
  const [inversion, classification] = (["inversion", "classification"] as const).map((task) => ({
    task,
    early: early(task),
    ...depthCorrelation(kernels.map((layer) => layer[task])),
  })) as [Correlated, Correlated];
  const cut = stages.find(({ stage }) => stage === boundary);
  return [
    `By means over parameters, the first ${half} of ${kernels.length} convolutions hold ${percent(inversion.early)} of inversion's information and ${percent(classification.early)} of classification's.`,
    ...[inversion, classification].map(depthSentence),
    patternSentence(inversion, classification),
    cut === undefined
      ? "No boundary is recommended: there is no information for inversion."
      : `The recommended boundary is ${cut.stage}: summed over parameters, the stages up to it hold ${percent(cut.frozen.inversion)} of inversion's information and ${percent(cut.frozen.classification)} of classification's.`,
  ];
}

interface Correlated {
  readonly task: string;
  readonly rho: number;
  readonly chance: number;
  /** Share of the first half of the convolutions. */
  readonly early: number;
}

function depthSentence({ task, rho, chance }: Correlated): string {
  const often = chance < 0.001 ? "less than one in a thousand" : percent(chance, 1);
  const way = chance >= LEVEL ? "shows no order" : rho < 0 ? "falls with depth" : "rises with depth";
  return `Information for ${task} ${way}: its rank correlation with depth is ${fixed(rho, 2)}, and of random orders of the layers ${often} are as far from zero.`;
}

function patternSentence(inversion: Correlated, classification: Correlated): string {
  const paper = "the paper's pattern, early layers for inversion and late ones for the task,";
  const moreEarly = inversion.early > classification.early;
  const rises = classification.rho > 0 && classification.chance < LEVEL;
  const falls = inversion.rho < 0 && inversion.chance < LEVEL;
  if (moreEarly && falls && rises) return `So ${paper} is here.`;
  if (moreEarly && (falls || rises || inversion.rho < classification.rho)) {
    const missing = [
      ...(falls ? [] : ["that inversion's falls with depth"]),
      ...(rises ? [] : ["that classification's rises with it"]),
    ];
    return `So ${paper} is here in part: early layers matter more for inversion than for classification, but not shown is ${missing.join(" and ")}.`;
  }
  return `So ${paper} is not here.`;
}
