import { beatsFloors } from "../../study/floors.ts";
import type { Comparison } from "../conditions.ts";
import { apart, points } from "../difference.ts";
import { markdownTable } from "../markdown-table.ts";
import { percentWithInterval } from "../numbers.ts";
import { seedsInWords } from "../seeds-in-words.ts";
import { strengthened, trainedAnew, type UnderBoth, underBoth } from "./trials.ts";

/** Two attacks that differ in their identity loss alone. */
export interface LossTrial {
  readonly first: string;
  readonly second: string;
}

/** What was tried to find out why defenses stand in another order here, as paragraphs of Markdown. */
export function causes(standings: readonly Comparison[], { first, second }: LossTrial): string[] {
  const [own, other] = [first, second].map((name) => standings.find(({ attack }) => attack === name));
  const both = own && other ? underBoth(own, other) : [];
  return [
    "**Is it the papers' setting?** Weights and perturbations were chosen for other images, networks and numbers of classes. Each defense's " +
      `settings under ${first}, from the one that keeps most natural accuracy to the next:`,
    markdownTable(
      ["from", "to", "attack accuracy, points", "natural accuracy, points"],
      (own ? strengthened(own) : []).map((pair) => [
        pair.second.label,
        pair.first.label,
        points(pair.attack),
        points(pair.natural),
      ]),
    ),
    `**Is it the attack's loss?** A defense that bends probabilities leaves logits in order. ${first} follows a margin between logits; ` +
      `the attacks of the papers follow cross-entropy, or PPA's distance between probabilities. ${second} has the same settings but for its loss. ` +
      "Change of attack accuracy against the undefended model of each attack in points:",
    ...(own === undefined || other === undefined || both.length === 0
      ? ["Not measured yet."]
      : [lossTable(both, { first, second }), anew(own, other, both), lossInWords(own, other, both)].filter(
          (text) => text !== "",
        )),
    "**Not tried, since two cores do not reach it:** photographs at 224×224, ResNet-152, PPA in a StyleGAN of FFHQ, start weights from ImageNet.",
  ];
}

function lossTable(both: readonly UnderBoth[], { first, second }: LossTrial): string {
  return markdownTable(
    ["defense", first, "seeds", second, "seeds"],
    both.map(({ label, settings: [own, other], ...fall }) => [
      label,
      points(fall.first),
      seedsInWords(own.cells),
      points(fall.second),
      seedsInWords(other.cells),
    ]),
  );
}

/** Which of the targets under the second attack are not those under the first; empty where all are. */
function anew(first: Comparison, second: Comparison, both: readonly UnderBoth[]): string {
  const controls = first.undefended && second.undefended && ([first.undefended, second.undefended] as const);
  const pairs = [...(controls ? [controls] : []), ...both.map(({ settings }) => settings)];
  const other = pairs.filter(trainedAnew).map(([{ label }]) => label);
  if (other.length === 0) return "";
  return `Of these ${second.attack} met targets that were trained anew, whose natural accuracies are others, so more than the loss differs: ${other.join("; ")}.`;
}

/** Which settings take more from one of the attacks than from the other, with intervals apart; nothing unless both work undefended. */
function lossInWords(first: Comparison, second: Comparison, both: readonly UnderBoth[]): string {
  const weak = [first, second].filter(({ undefended }) => undefended === undefined || !beatsFloors(undefended));
  if (weak.length > 0) return `Nothing can be said of the loss: ${weak.map(whyWeak).join("; ")}.`;
  const apartFrom = both.filter((one) => apart(one.first, one.second));
  if (apartFrom.length === 0) return "No difference between the losses is shown: no setting's two intervals are apart.";
  return `Intervals are apart for ${apartFrom.map(({ label }) => label).join("; ")}.`;
}

function whyWeak({ attack, undefended }: Comparison): string {
  if (undefended === undefined) return `${attack} met no undefended model`;
  const { attackAccuracy, floors } = undefended;
  const numbers = [attackAccuracy, floors.randomPrior, floors.initialSelection].map((rate) =>
    percentWithInterval(rate, 1),
  );
  return `on the undefended model ${attack} is not shown to lie above both floors (${numbers[0]} against ${numbers[1]} and ${numbers[2]})`;
}
