import type { JudgesResult, Measured } from "../study/result.ts";
import { meanOverSeeds } from "./seeds.ts";

const mean = (values: readonly Measured[]) => meanOverSeeds(values, [0, 1]);

/** A mean of what some seeds have; nothing where none has it. */
function meanOfSome<Key extends string>(key: Key, values: readonly (Measured | undefined)[]) {
  const found = values.filter((value) => value !== undefined);
  return found.length === 0 ? {} : ({ [key]: mean(found) } as Record<Key, Measured>);
}

/** The names of the judges, in their order; undefined unless all have the same ones. */
export function sameJudges(all: readonly (JudgesResult | undefined)[]): readonly string[] | undefined {
  const [first, ...others] = all.map((judged) => judged?.judges.map(({ name }) => name));
  return others.every((names) => names?.join("\n") === first?.join("\n")) ? first : undefined;
}

/** What judges say, as means over seeds; undefined unless every seed has the same judges. */
export function meanJudges(seeds: readonly (JudgesResult | undefined)[]): JudgesResult | undefined {
  const found = seeds.filter((judged) => judged !== undefined);
  const [first] = found;
  if (first === undefined || sameJudges(seeds) === undefined) return undefined;
  const refused = (place: number) => found.reduce((sum, { judges }) => sum + (judges[place]?.refused ?? 0), 0);
  return {
    judges: first.judges.map((judge, place) => ({
      ...judge,
      ...(judge.refused !== undefined && { refused: refused(place) }),
      attackAccuracy: mean(found.map(({ judges }) => judges[place]!.attackAccuracy)),
    })),
    agreement: mean(found.map(({ agreement }) => agreement)),
    unanimous: mean(found.map(({ unanimous }) => unanimous)),
    ...meanOfSome(
      "unconfirmed",
      found.map(({ unconfirmed }) => unconfirmed),
    ),
    ...meanOfSome(
      "single",
      found.map(({ single }) => single),
    ),
  };
}
