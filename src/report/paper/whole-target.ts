import type { CellResult } from "../../study/result.ts";
import { peopleInCommon } from "../people-in-common.ts";
import type { EvidenceCell, StudyEvidence } from "./evidence.ts";

/** How many people have a natural accuracy in all of the results. */
export const peopleKnown = (results: readonly CellResult[]): number =>
  peopleInCommon(results, ["naturalAccuracy"]).length;

/** Whether both have measured one target on the same images: steps of one name may have been computed by two versions. */
const sameTarget = (a: CellResult, b: CellResult): boolean =>
  a.naturalAccuracy.value === b.naturalAccuracy.value && a.naturalAccuracy.n === b.naturalAccuracy.n;

/**
 * The cell whose record tells of most people how well the same target knows them; the cell itself, where none tells of more. A study that
 * attacks some of the people has the natural accuracy of those alone.
 */
export function wholeTarget(cell: EvidenceCell, studies: readonly StudyEvidence[]): EvidenceCell {
  const { result } = cell;
  if (result === undefined) return cell;
  let [widest, most] = [cell, peopleKnown([result])];
  for (const other of studies.flatMap(({ cells }) => cells)) {
    if (other.target !== cell.target || other.result === undefined || !sameTarget(other.result, result)) continue;
    const people = peopleKnown([other.result]);
    if (people > most) [widest, most] = [other, people];
  }
  return widest;
}
