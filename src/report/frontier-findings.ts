import type { Frontier, FrontierPoint } from "../study/frontier-record.ts";
import { fixed, percent, percentWithInterval } from "./numbers.ts";

/** How much of the best boundary's area the choice of Fisher information may give away. */
export const AREA_TOLERANCE = 0.1;

/** Whether the choice keeps nearly all of the best boundary's area. */
export type AutoVerdict = "the best" | "within" | "not shown" | "beyond" | "no comparison";

/** `freeze: auto` against the best of the sweep. */
export interface AutoAgainstBest {
  readonly verdict: AutoVerdict;
  /** The area that it gives away, as a share of the best's below the undefended model; undefined where there is none to share. */
  readonly givenAway?: number;
}

/**
 * Whether what Fisher information chose is within a tenth of the sweep's best area: how far its curve lies above that of the best boundary,
 * against how far the best lies below the undefended model. `within` where the upper end of the 95 % interval keeps that too, `not shown`
 * where the value alone does. No comparison where the attack does not work on the undefended model, or no boundary leaks less.
 */
export function autoAgainstBest(frontier: Frontier): AutoAgainstBest {
  const { sweep, best, auto, autoLeaksMore } = frontier;
  const gain = -(
    sweep.find(({ boundary }) => boundary !== null && boundary === best)?.leaksMore?.difference.value ?? 0
  );
  if (!attackWorks(frontier) || auto === null || autoLeaksMore === null || gain <= 0)
    return { verdict: "no comparison" };
  if (auto === best) return { verdict: "the best", givenAway: 0 };
  const { value, high } = autoLeaksMore.difference;
  const allowed = AREA_TOLERANCE * gain;
  const verdict = value > allowed ? "beyond" : high > allowed ? "not shown" : "within";
  return { verdict, givenAway: value / gain };
}

/** A frontier in sentences, from its numbers alone. */
export function frontierFindings(frontier: Frontier): string[] {
  const { attack, undefended, nothing, initialSelection, sweep, best, auto } = frontier;
  const selected = initialSelection
    ? `, the best initial latents without optimisation ${percentWithInterval(initialSelection, 1)}`
    : "";
  const start = `Without a defense, ${percentWithInterval(undefended.attackAccuracy, 1)} of the reconstructions of ${attack} are recognised, at ${percentWithInterval(undefended.naturalAccuracy, 1)} natural accuracy; random samples of the prior reach ${percentWithInterval(nothing.attackAccuracy, 1)}${selected}.`;
  if (!attackWorks(frontier))
    return [
      start,
      `The attack is not shown to beat ${initialSelection ? "both floors" : "that floor"} on the undefended model, so nothing can be said of boundaries.`,
    ];
  const lowest = sweep.find(({ boundary }) => boundary !== null && boundary === best);
  const saved = lowest?.leaksMore?.difference;
  if (lowest === undefined || saved === undefined || saved.value >= 0)
    return [start, "No boundary of the sweep leaks less than the undefended model at equal natural accuracy."];
  const sure = saved.high < 0 ? "" : " The interval reaches zero: that it leaks less is not shown.";
  return [
    start,
    `The best boundary is ${best}: at equal natural accuracy its curve lies ${below(lowest)} below the undefended model's.${sure}`,
    auto === null ? "Fisher information chooses no boundary." : choiceSentence(frontier, auto),
  ];
}

function choiceSentence(frontier: Frontier, auto: string): string {
  const { verdict, givenAway } = autoAgainstBest(frontier);
  const limit = `within ${percent(AREA_TOLERANCE)} of the sweep's best area`;
  const chosen = `\`freeze: auto\` chooses ${auto}`;
  if (verdict === "the best") return `${chosen}, the best of the sweep, and so is ${limit}.`;
  if (verdict === "no comparison" || givenAway === undefined) return `${chosen}; there is no range to compare it over.`;
  const lost = `${chosen}, which gives away ${percent(givenAway, 1)} of the best's area`;
  if (verdict === "within") return `${lost}: ${limit}, at the upper end of its interval too.`;
  if (verdict === "not shown")
    return `${lost}: ${limit} by its value, but the interval reaches beyond, so this is not shown.`;
  return `${lost}: not ${limit}.`;
}

/** Random samples of the prior are the floor that every frontier knows, the start pool's best latents that of later records. */
function attackWorks({ undefended: { attackAccuracy }, nothing, initialSelection }: Frontier): boolean {
  const floors = [nothing.attackAccuracy, ...(initialSelection ? [initialSelection] : [])];
  return floors.every(({ high }) => attackAccuracy.low > high);
}

function below({ leaksMore }: FrontierPoint): string {
  const { value, low, high } = leaksMore!.difference;
  const points = (share: number) => fixed(-100 * share, 1);
  return `${points(value)} points [${points(high)}, ${points(low)}]`;
}
