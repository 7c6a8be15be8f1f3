import type { z } from "zod";
import type { Defended } from "../defenses/compose.ts";
import { defenses } from "../defenses/index.ts";

type Change = { readonly kind: string } & Readonly<Record<string, unknown>>;

/**
 * A defense with the keys that are not its own: `mid (beta 0.05)`, without the boundary. A study's `mid 2` says nothing of its setting, and
 * another study's may be another.
 */
export function settingName({ name, recipe, changes, outputs }: Defended): string {
  const { start, probeEpochs, frozenNorms } = recipe;
  const said = [
    ...(start === "scratch" ? ["start scratch"] : []),
    ...(probeEpochs > 0 ? [`probeEpochs ${probeEpochs}`] : []),
    ...(frozenNorms === "train" ? ["frozenNorms train"] : []),
    ...changes.flatMap(keysInWords),
    // A defense that changes training as well is one of the changes already.
    ...(outputs && !changes.some(({ kind }) => kind === outputs.kind) ? keysInWords(outputs) : []),
  ];
  return said.length === 0 ? name : `${name} (${said.join(", ")})`;
}

/** The keys of a defense that differ from its defaults: `beta 0.05`. */
function keysInWords({ kind, ...config }: Change): string[] {
  const keys = defenses.find((member) => member.kind === kind)?.config.shape as Readonly<Record<string, z.ZodType>>;
  const own = (key: string) => keys[key]?.safeParse(undefined).data;
  return Object.entries(config)
    .filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(own(key)))
    .map(([key, value]) => `${key} ${typeof value === "object" ? JSON.stringify(value) : value}`);
}
