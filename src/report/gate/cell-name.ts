import { cellInWords } from "../../study/entry-labels.ts";
import type { GateCheck } from "../../study/gate.ts";

/** What tells a cell from the others of its run: the name of its folder, or its setting where it has none. */
export function cellOf(check: GateCheck): string {
  return check.run?.split(/[\\/]/).at(-1) ?? cellInWords(check);
}

/** The checks of each cell together, in order. */
export function byCell(checks: readonly GateCheck[]): ReadonlyMap<string, readonly GateCheck[]> {
  const cells = new Map<string, GateCheck[]>();
  for (const check of checks) {
    const name = cellOf(check);
    const there = cells.get(name);
    if (there === undefined) cells.set(name, [check]);
    else there.push(check);
  }
  return cells;
}
