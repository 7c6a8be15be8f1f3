import { z } from "zod";
import { defineDefense } from "./defense.ts";

/** No defense: all weights train on the private images with cross-entropy. It differs from `tl-dmi` in freezing alone. */
export const none = defineDefense({
  kind: "none",
  summary: "no defense: every weight is fine-tuned on the private images",
  paper: "–",
  config: z.strictObject({
    start: z
      .enum(["pretrained", "scratch"])
      .default("pretrained")
      .describe("where weights start; the papers' targets start pre-trained"),
  }),
  recipe: ({ start }) => ({ start }),
});
