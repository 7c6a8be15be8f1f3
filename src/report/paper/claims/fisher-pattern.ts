import { type DepthCorrelation, depthCorrelation } from "../../../fisher/depth.ts";
import { fixed, percent } from "../../numbers.ts";
import { meanOverSeeds } from "../../seeds.ts";
import type { Claim, Decision, Question } from "../claim.ts";
import { controlsOf, undefendedIn, whereAttackWorks } from "../conditions.ts";
import type { StudyEvidence } from "../evidence.ts";

type Task = "classification" | "inversion";

/** Where the paper measured it. */
const MODEL = "vgg16_bn";
const ATTACK = "gmi";
/** Below this chance an order of layers is more than luck. */
const LEVEL = 0.05;

/** Of one analysis the permutation test decides, of several Student's interval over seeds. */
function decide(found: readonly DepthCorrelation[], sign: 1 | -1): Decision {
  const [only] = found;
  const rho = meanOverSeeds(
    found.map((one) => ({ value: one.rho, n: 1, low: one.rho, high: one.rho })),
    [-1, 1],
  );
  const single = found.length === 1;
  const sure = single ? only!.chance < LEVEL : rho.low > 0 || rho.high < 0;
  const figures = single
    ? `ρ with depth ${fixed(rho.value, 2)}; ${percent(only!.chance, 2)} of random orders are as far from zero`
    : `ρ with depth ${fixed(rho.value, 2)} [${fixed(rho.low, 2)}, ${fixed(rho.high, 2)}]`;
  const way = rho.value < 0 ? "falls with depth" : "rises with depth";
  if (!sure) return { verdict: "not shown here", why: "no order of the layers is shown", figures };
  if (Math.sign(rho.value) === sign) return { verdict: "holds here", why: way, figures };
  return { verdict: "does not hold here", why: way, figures };
}

function question(study: StudyEvidence, task: Task, sign: 1 | -1): Question | undefined {
  const cells = controlsOf(study, ATTACK);
  if (study.model !== MODEL || cells.length === 0) return undefined;
  return {
    studies: [study.file],
    about: `${study.model}, ${ATTACK}: information for ${task}`,
    needs: cells.flatMap(({ name, file, seed, fisher }) => [
      { name, seed, ...(file !== undefined && { file }) },
      { name: `${name}, Fisher`, seed, ...(fisher && { file: fisher.file }) },
    ]),
    decide: () =>
      whereAttackWorks(undefendedIn(study, ATTACK), () =>
        decide(
          cells.map(({ fisher }) =>
            depthCorrelation(
              fisher!.record.layers.flatMap((layer) => (layer.kernel && layer.stage !== null ? [layer[task]] : [])),
            ),
          ),
          sign,
        ),
      ),
  };
}

const TEST =
  "Spearman's ρ between a convolution's depth and its mean Fisher information, on the undefended VGG16: one analysis is tested by random " +
  "orders of the layers (below 5 %), several by Student's 95 % interval over seeds.";

/** Figure 1 II, lower panel. */
export const earlyForInversion: Claim = {
  title: "The first layers matter most for inversion",
  said: "Fisher information of a VGG16 for the inversion task is largest in the first layers (figure 1 II).",
  test: `${TEST} Holds where information for inversion falls with depth.`,
  questions: (studies) => studies.flatMap((study) => question(study, "inversion", -1) ?? []),
};

/** Figure 1 II, upper panel. */
export const lateForTheTask: Claim = {
  title: "The last layers matter most for the classification task",
  said: "Its Fisher information for the classification task is larger in later layers (figure 1 II).",
  test: `${TEST} Holds where information for classification rises with depth.`,
  questions: (studies) => studies.flatMap((study) => question(study, "classification", 1) ?? []),
};
