import type { StateDict } from "../../src/engine/store.ts";

/** The tensors of these names. */
export const pick = (names: readonly string[], state: StateDict): StateDict =>
  Object.fromEntries(names.map((name) => [name, state[name]!]));
