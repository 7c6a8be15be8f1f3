import { z } from "zod";
import { defineDefense } from "./defense.ts";
import { Group, SHORTCUT_PAPER, withShortcuts } from "./shortcuts.ts";

/** Two-stage training: some epochs with all shortcuts, the others without those of the last group. */
export const tts = defineDefense({
  kind: "tts",
  summary: "trains some epochs with all shortcuts, then takes those of the last group of blocks away",
  paper: SHORTCUT_PAPER,
  config: z.strictObject({
    firstEpochs: z
      .number()
      .positive()
      .default(5)
      .describe("epochs with all shortcuts, of all epochs; 5 of 100 in the paper"),
    group: Group,
  }),
  reshape: { part: "shortcuts", model: ({ group }, model) => withShortcuts(model, group, 0) },
  recipe: ({ firstEpochs, group }, model) => ({
    first: { model: withShortcuts(model, group, 1), epochs: firstEpochs },
  }),
});
