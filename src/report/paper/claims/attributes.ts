import type { AttributeRecovery, CellResult, Measured } from "../../../study/result.ts";
import { apart, type Difference, differenceOf, points } from "../../difference.ts";
import { fixed, percentWithInterval } from "../../numbers.ts";
import { meanOverSeeds } from "../../seeds.ts";
import type { Claim, Decision, Question } from "../claim.ts";
import { againstUndefended, attacksOf, labelsWith, resultsOf, TL_DMI, whereLess } from "../conditions.ts";
import type { EvidenceCell, StudyEvidence } from "../evidence.ts";

/** What a regressor read the attribute from, or did without: reconstructions, real images, nothing at all. */
type Source = "reconstruction" | "real" | "guess";

/** The two kinds of attribute, which are measured in different units and decided apart. */
interface Group {
  readonly kind: AttributeRecovery["kind"];
  readonly about: string;
  readonly limits: readonly [number, number];
  /** Whether the first value tells more of the person than the second. */
  readonly better: (first: number, second: number) => boolean;
  /** How much more the second tells than the first. */
  readonly gain: (first: Measured, second: Measured) => Difference;
  readonly less: string;
  readonly more: string;
  readonly write: (measured: Measured) => string;
  readonly writeGain: (gain: Difference) => string;
}

const ofError = ({ value, low, high }: Pick<Measured, "value" | "low" | "high">) =>
  `${fixed(value, 3)} [${fixed(low, 3)}, ${fixed(high, 3)}]`;

const GROUPS: readonly Group[] = [
  {
    kind: "number",
    about: "numbers",
    limits: [0, Number.POSITIVE_INFINITY],
    better: (first, second) => first < second,
    gain: (first, second) => differenceOf(second, first),
    less: "attributes are read less exactly",
    more: "attributes are read more exactly",
    write: (error) => `error ${ofError(error)}`,
    writeGain: (gain) => `nearer by ${ofError(gain)}`,
  },
  {
    kind: "category",
    about: "categories",
    limits: [0, 1],
    better: (first, second) => first > second,
    gain: differenceOf,
    less: "fewer attributes are read rightly",
    more: "more attributes are read rightly",
    write: (share) => `read rightly ${percentWithInterval(share, 1)}`,
    writeGain: (gain) => `${points(gain)} points`,
  },
];

/** The mean over attributes of what was read from a source; its interval is the mean of theirs, since they vary together. */
function meanOf({ attributeRecovery }: CellResult, names: readonly string[], source: Source): Measured {
  const all = attributeRecovery.filter(({ name }) => names.includes(name)).map((attribute) => attribute[source]);
  const mean = (read: (measured: Measured) => number) => all.reduce((sum, one) => sum + read(one), 0) / all.length;
  return {
    value: mean(({ value }) => value),
    n: all[0]?.n ?? 0,
    low: mean(({ low }) => low),
    high: mean(({ high }) => high),
  };
}

/** The attributes of a kind that can be read at all: from real images better than by guessing, with intervals apart. */
function readable(results: readonly CellResult[], { kind, limits, better }: Group): string[] {
  const names = results[0]!.attributeRecovery.filter((attribute) => attribute.kind === kind).map(({ name }) => name);
  return names.filter((name) => {
    const [real, guess] = (["real", "guess"] as const).map((source) =>
      meanOverSeeds(
        results.map((result) => meanOf(result, [name], source)),
        limits,
      ),
    );
    return better(real!.value, guess!.value) && apart(real!, guess!);
  });
}

function decide(group: Group, undefended: readonly EvidenceCell[], defended: readonly EvidenceCell[]): Decision {
  const names = readable(resultsOf(undefended), group);
  if (names.length === 0) {
    const why = "none can be read from real images better than by guessing, so reconstructions show nothing either way";
    return { verdict: "not testable here", why, figures: "" };
  }
  const over = (cells: readonly EvidenceCell[], source: Source) =>
    meanOverSeeds(
      resultsOf(cells).map((result) => meanOf(result, names, source)),
      group.limits,
    );
  const [before, after] = [over(undefended, "reconstruction"), over(defended, "reconstruction")];
  const gain = group.gain(before, after);
  const { write } = group;
  return {
    ...whereLess(gain, group.less, group.more),
    figures:
      `${names.join(", ")}: ${write(after)} against ${write(before)}, ${group.writeGain(gain)}; ` +
      `real images ${write(over(undefended, "real"))}, guessing ${write(over(undefended, "guess"))}`,
  };
}

function question(study: StudyEvidence, attack: string, label: string, group: Group): Question {
  const asked = againstUndefended(study, attack, label, (cells) => decide(group, cells.undefended, cells.defended));
  return { ...asked, about: `${asked.about}, ${group.about}` };
}

/** A question that the paper leaves open. */
export const attributes: Claim = {
  title: "Reconstructions give away fewer of a person's attributes",
  said: "Not in the paper: an image that is not recognised may still show skin, hair or mouth as they are.",
  test:
    "How well a regressor reads attributes from reconstructions, held against the truth that the drawing knows, with TL-DMI minus without: " +
    "of categories the share that is right, of numbers the mean absolute error. A mean over the attributes that it reads from real images " +
    "better than by guessing (the best constant answer), with intervals apart: of others it can say nothing. Holds where the 95 % " +
    "interval says that less is read. Natural accuracy has no say in it: the first claim's table says what each boundary costs.",
  questions: (studies) =>
    studies
      .filter((study) => study.attributes)
      .flatMap((study) =>
        attacksOf(study).flatMap((attack) =>
          labelsWith(study, TL_DMI).flatMap((label) => GROUPS.map((group) => question(study, attack, label, group))),
        ),
      ),
};
