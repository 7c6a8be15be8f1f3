import type { CellResult } from "../../study/result.ts";

/**
 * A result with another judge's verdicts in the place of the evaluation model's, whose own top 5, floors and distances stay.
 * @param judge its place among the result's judges; `all`: what every one of them sees
 * @returns undefined where one judge alone looked, or the record does not say what each saw of each person
 */
export function seenBy(result: CellResult, judge: number | "all"): CellResult | undefined {
  const { judges, identities } = result;
  if (judges === undefined || identities.some((person) => person.judges === undefined)) return undefined;
  return {
    ...result,
    attackAccuracy: judge === "all" ? judges.unanimous : judges.judges[judge]!.attackAccuracy,
    identities: identities.map((person) => ({
      ...person,
      attackAccuracy: judge === "all" ? person.judges!.unanimous : person.judges!.attackAccuracy[judge]!,
    })),
  };
}

/** The names of the judges, in their order; undefined unless all results have the same ones, person by person. */
export function judgesOfAll(results: readonly CellResult[]): readonly string[] | undefined {
  const [first, ...others] = results.map((result) =>
    seenBy(result, "all") === undefined ? undefined : result.judges?.judges.map(({ name }) => name),
  );
  return others.every((names) => names?.join("\n") === first?.join("\n")) ? first : undefined;
}
