import { type ChosenDefense, composeDefenses } from "../../src/defenses/compose.ts";
import type { Defense } from "../../src/defenses/defense.ts";
import { defenses } from "../../src/defenses/index.ts";
import { tinyModel } from "./tiny-world.ts";

/** A defense by its name. */
export type Kind = (typeof defenses)[number]["kind"];

/** A defense of a target, with what its config says beside the defaults. */
export type Part = readonly [kind: Kind, config?: object];

/** The tiny model as it is before a defense reshapes it. */
export const original = tinyModel();

/** A defense with its whole config. */
export const chosen = ([kind, config = {}]: Part): ChosenDefense => {
  const member = (defenses as readonly Defense[]).find((d) => d.kind === kind)!;
  return { member, config: member.config.parse(config) };
};

/** The tiny model under these defenses. */
export const compose = (...parts: readonly Part[]) => composeDefenses(original, parts.map(chosen));
