import { z } from "zod";
import { defineDefense } from "./defense.ts";
import { Group, SHORTCUT_PAPER, withShortcuts } from "./shortcuts.ts";

/** Removal of last-stage shortcuts. */
export const rolss = defineDefense({
  kind: "rolss",
  summary: "takes the shortcuts of the last group of blocks away",
  paper: SHORTCUT_PAPER,
  config: z.strictObject({ group: Group }),
  reshape: { part: "shortcuts", model: ({ group }, model) => withShortcuts(model, group, 0) },
  recipe: () => ({}),
});
