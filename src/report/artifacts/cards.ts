import { join } from "node:path";
import { writeFileAtomic } from "../../engine/atomic-file.ts";
import { targetCard } from "./card.ts";
import type { Collected } from "./collect.ts";

/** A card in each target's folder, with all cells that attacked it. */
export async function writeCards(collected: readonly Collected[]): Promise<void> {
  for (const target of new Set(collected.map((cell) => cell.target))) {
    const own = collected.filter((cell) => cell.target === target);
    const { label, description } = own[0]!;
    const results = own.map(({ result }) => result);
    await writeFileAtomic(join(target, "MODEL_CARD.md"), targetCard(label, description, results));
  }
}
