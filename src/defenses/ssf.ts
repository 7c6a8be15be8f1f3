import { z } from "zod";
import { defineDefense } from "./defense.ts";
import { Group, SHORTCUT_PAPER, withShortcuts } from "./shortcuts.ts";

/** Shortcut scaling: g(x) + k·x. */
export const ssf = defineDefense({
  kind: "ssf",
  summary: "scales the shortcuts of the last group of blocks down",
  paper: SHORTCUT_PAPER,
  config: z.strictObject({
    factor: z.number().gt(0).lt(1).default(0.2).describe("k, what shortcuts are multiplied by"),
    group: Group,
  }),
  reshape: { part: "shortcuts", model: ({ factor, group }, model) => withShortcuts(model, group, factor) },
  recipe: () => ({}),
});
