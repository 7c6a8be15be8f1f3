import { attackName } from "../study/entry-labels.ts";
import type { CellResult } from "../study/result.ts";

/**
 * An attack's seeds that have got as far as its furthest: means over other seeds for one defense than for the next would not compare, and two
 * seeds' interval says nothing.
 */
export function evenlyFar<Item extends { readonly result: CellResult }>(all: readonly Item[]): readonly Item[] {
  const cellsBeside = ({ result }: Item, seed: number) =>
    all.filter((other) => attackName(other.result) === attackName(result) && other.result.seed === seed).length;
  const seeds = [...new Set(all.map(({ result }) => result.seed))];
  return all.filter((item) => seeds.every((seed) => cellsBeside(item, seed) <= cellsBeside(item, item.result.seed)));
}
